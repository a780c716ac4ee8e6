#include "domains/diffusion/vae/resnet.h"

#include <ATen/ops/silu.h>

namespace switchyard {

VaeResnet::VaeResnet(int64_t in, int64_t out, const VaeNorm& norm)
    : norm1_(&emplace_child<GroupNorm>("norm1", norm.groups, in, norm.eps)),
      conv1_(&emplace_child<Conv2d>("conv1", in, out, 3, 1, 1)),
      norm2_(&emplace_child<GroupNorm>("norm2", norm.groups, out, norm.eps)),
      conv2_(&emplace_child<Conv2d>("conv2", out, out, 3, 1, 1)) {
  if (in != out) shortcut_ = &emplace_child<Conv2d>("conv_shortcut", in, out, 1);
}

at::Tensor VaeResnet::forward(const at::Tensor& x) const {
  const auto h = conv1_->forward(at::silu(norm1_->forward(x)));
  const auto change = conv2_->forward(at::silu(norm2_->forward(h)));
  return (shortcut_ ? shortcut_->forward(x) : x) + change;
}

}  // namespace switchyard
