#pragma once

#include "core/nn/module.h"

namespace switchyard {

class Norm : public Module {
 public:
  /// [N, C] -> [N, C].
  virtual at::Tensor forward(const at::Tensor& x_NC) = 0;
};

/// Batch norm over the rows of x [N, C]: batch statistics in training (running variance unbiased),
/// running statistics otherwise. Published tensors: weight, bias (where affine), running_mean,
/// running_var, num_batches_tracked.
class BatchNorm : public Norm {
 public:
  BatchNorm(int64_t channels, double eps, double momentum, bool affine = true);
  at::Tensor forward(const at::Tensor& x_NC) override;

 private:
  at::Tensor *weight_ = nullptr, *bias_ = nullptr;
  at::Tensor *running_mean_, *running_var_, *num_batches_tracked_;
  double eps_, momentum_;
};

/// Layer norm over the last axis, with weight and bias where affine.
class LayerNorm : public Norm {
 public:
  explicit LayerNorm(int64_t channels, double eps = 1e-5, bool affine = true);
  at::Tensor forward(const at::Tensor& x) override;

 private:
  at::Tensor *weight_ = nullptr, *bias_ = nullptr;
  double eps_;
};

}  // namespace switchyard
