#pragma once

#include "core/io/safetensors.h"
#include "domains/point_cloud/model/segmentor_config.h"

namespace switchyard {

/// The segmentor of a node `model` with heads of as many classes as `weights` have: rows of
/// seg_head.weight, of every seg_heads.<c>.weight, or of class_embedding (one class where there is
/// no such tensor). Errors: those of SegmentorConfig and PointSegmentor.
std::unique_ptr<Module> bare_segmentor(const ConfigNode& model, const NamedTensors& weights);

}  // namespace switchyard
