#pragma once

#include "core/nn/conv2d.h"
#include "core/nn/group_norm.h"
#include "domains/diffusion/vae/params.h"

namespace switchyard {

/// x + conv2(SiLU(norm2(conv1(SiLU(norm1 x))))), 3 x 3 convolutions; where the widths differ x goes
/// through the 1 x 1 convolution conv_shortcut. Published: norm1, conv1, norm2, conv2,
/// conv_shortcut.
class VaeResnet : public Module {
 public:
  VaeResnet(int64_t in, int64_t out, const VaeNorm& norm);
  /// [B, in, H, W] -> [B, out, H, W].
  at::Tensor forward(const at::Tensor& x_BCHW) const;

 private:
  GroupNorm* norm1_;
  Conv2d* conv1_;
  GroupNorm* norm2_;
  Conv2d* conv2_;
  Conv2d* shortcut_ = nullptr;
};

}  // namespace switchyard
