#pragma once

#include "core/nn/conv2d.h"

namespace switchyard {

/// Halves the side: one column of zeros on the right and one row below, then a 3 x 3 convolution of
/// stride 2. Published: conv.
class VaeDownsample : public Module {
 public:
  explicit VaeDownsample(int64_t channels);
  /// [B, C, H, W] -> [B, C, floor(H / 2), floor(W / 2)].
  at::Tensor forward(const at::Tensor& x_BCHW) const;

 private:
  Conv2d* conv_;
};

/// Doubles the side: every pixel 2 x 2 times, then a 3 x 3 convolution. Published: conv.
class VaeUpsample : public Module {
 public:
  explicit VaeUpsample(int64_t channels);
  /// [B, C, H, W] -> [B, C, 2H, 2W].
  at::Tensor forward(const at::Tensor& x_BCHW) const;

 private:
  Conv2d* conv_;
};

}  // namespace switchyard
