#pragma once

#include "core/nn/module.h"

namespace switchyard {

/// Convolution of images [B, in, H, W] -> [B, out, H', W'] with a square kernel. Published: weight
/// [out, in, k, k], bias [out]; init as in PyTorch.
class Conv2d : public Module {
 public:
  Conv2d(int64_t in, int64_t out, int64_t kernel, int64_t stride = 1, int64_t padding = 0);
  at::Tensor forward(const at::Tensor& x_BCHW) const;

 private:
  int64_t stride_, padding_;
  at::Tensor &weight_, &bias_;
};

}  // namespace switchyard
