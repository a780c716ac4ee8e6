#pragma once

#include "core/io/safetensors.h"

namespace switchyard {

/// Copies file tensor `name` into every target of that name. Errors, naming file and tensor: a
/// target without a tensor, a tensor without a target, another shape.
void load_exact(const SafeTensors& file, const NamedTensors& targets);

}  // namespace switchyard
