#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

namespace switchyard {

/// GELU is the exact (erf) form, GELUTanh its tanh approximation; leaky ReLU has slope 0.01; ELU
/// has alpha 1.
enum class Activation { ReLU, GELU, SiLU, ELU, Mish, LeakyReLU, GELUTanh };

const std::vector<std::string>& activation_names();
/// Errors: unknown name, with the valid ones.
Activation activation_from_name(const std::string& name);
std::string name_of(Activation activation);
at::Tensor activate(const at::Tensor& x, Activation activation);

}  // namespace switchyard
