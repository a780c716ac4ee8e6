#include "core/nn/conv2d.h"

#include <ATen/ops/conv2d.h>

namespace switchyard {

Conv2d::Conv2d(int64_t in, int64_t out, int64_t kernel, int64_t stride, int64_t padding)
    : stride_(stride),
      padding_(padding),
      weight_(
          add_parameter("weight", {out, in, kernel, kernel}, Init::fan_in(in * kernel * kernel))),
      bias_(add_parameter("bias", {out}, Init::fan_in(in * kernel * kernel))) {}

at::Tensor Conv2d::forward(const at::Tensor& x_BCHW) const {
  return at::conv2d(x_BCHW, weight_, bias_, stride_, padding_);
}

}  // namespace switchyard
