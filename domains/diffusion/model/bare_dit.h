#pragma once

#include "core/io/safetensors.h"
#include "domains/diffusion/model/dit.h"

namespace switchyard {

/// The network of a node `model` {type: dit, ...} with as many classes as the label table of
/// `weights` has rows, less one; those of the node where there is none. Errors: unknown key or
/// site.
std::unique_ptr<Module> bare_dit(const ConfigNode& model, const NamedTensors& weights);

}  // namespace switchyard
