#pragma once

#include "core/nn/module.h"

namespace switchyard {

/// Batch norm over the rows of x [N, C]: batch statistics in training (running variance unbiased),
/// running statistics otherwise. Published tensors: weight, bias, running_mean, running_var,
/// num_batches_tracked.
class BatchNorm : public Module {
 public:
  BatchNorm(int64_t channels, double eps, double momentum);
  at::Tensor forward(const at::Tensor& x_NC);

 private:
  at::Tensor &weight_, &bias_, &running_mean_, &running_var_, &num_batches_tracked_;
  double eps_, momentum_;
};

/// Layer norm over the last axis with affine weight and bias.
class LayerNorm : public Module {
 public:
  explicit LayerNorm(int64_t channels, double eps = 1e-5);
  at::Tensor forward(const at::Tensor& x) const;

 private:
  at::Tensor &weight_, &bias_;
  double eps_;
};

}  // namespace switchyard
