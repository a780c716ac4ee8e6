#include "domains/diffusion/vae/resample.h"

#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/upsample_nearest2d.h>

namespace switchyard {

VaeDownsample::VaeDownsample(int64_t channels)
    : conv_(&emplace_child<Conv2d>("conv", channels, channels, 3, 2)) {}

at::Tensor VaeDownsample::forward(const at::Tensor& x_BCHW) const {
  return conv_->forward(at::constant_pad_nd(x_BCHW, {0, 1, 0, 1}));
}

VaeUpsample::VaeUpsample(int64_t channels)
    : conv_(&emplace_child<Conv2d>("conv", channels, channels, 3, 1, 1)) {}

at::Tensor VaeUpsample::forward(const at::Tensor& x_BCHW) const {
  const int64_t height = 2 * x_BCHW.size(2), width = 2 * x_BCHW.size(3);
  return conv_->forward(at::upsample_nearest2d(x_BCHW, at::IntArrayRef{height, width}));
}

}  // namespace switchyard
