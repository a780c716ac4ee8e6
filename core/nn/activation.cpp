#include "core/nn/activation.h"

#include <ATen/ops/elu.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/leaky_relu.h>
#include <ATen/ops/mish.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/silu.h>

namespace switchyard {

const std::vector<std::string>& activation_names() {
  static const std::vector<std::string> names = {"relu", "gelu",       "silu",     "elu",
                                                 "mish", "leaky_relu", "gelu_tanh"};
  return names;
}

Activation activation_from_name(const std::string& name) {
  const auto& names = activation_names();
  check_name("activation", "activation", name, names);
  return static_cast<Activation>(std::find(names.begin(), names.end(), name) - names.begin());
}

std::string name_of(Activation activation) {
  return activation_names()[static_cast<size_t>(activation)];
}

at::Tensor activate(const at::Tensor& x, Activation activation) {
  switch (activation) {
    case Activation::ReLU:
      return at::relu(x);
    case Activation::GELU:
      return at::gelu(x);
    case Activation::SiLU:
      return at::silu(x);
    case Activation::ELU:
      return at::elu(x);
    case Activation::Mish:
      return at::mish(x);
    case Activation::LeakyReLU:
      return at::leaky_relu(x, 0.01);
    case Activation::GELUTanh:
      return at::gelu(x, "tanh");
  }
  return x;
}

}  // namespace switchyard
