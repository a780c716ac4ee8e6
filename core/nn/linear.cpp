#include "core/nn/linear.h"

namespace switchyard {

Linear::Linear(int64_t in, int64_t out, bool with_bias, std::optional<LinearInit> init)
    : weight(add_parameter("weight", {out, in}, init ? init->weight : Init::fan_in(in))) {
  if (with_bias) bias = &add_parameter("bias", {out}, init ? init->bias : Init::fan_in(in));
}

at::Tensor Linear::forward(const at::Tensor& x) const {
  return at::linear(x, weight, bias ? *bias : at::Tensor());
}

}  // namespace switchyard
