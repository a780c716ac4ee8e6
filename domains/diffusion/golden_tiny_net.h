#pragma once

#include "core/golden/golden.h"
#include "core/nn/linear.h"

namespace switchyard::diffusion_golden {

/// The network of the set diffusion, per pixel: fc2 tanh(fc1 x + time t / 1000 + label[y]).
class TinyNet : public Module {
 public:
  /// With the sizes and weights of the case.
  explicit TinyNet(const GoldenCase& c);
  /// x [B, C, S, S], t [B], y [B] i64, the last label for none -> [B, out, S, S].
  at::Tensor forward(const at::Tensor& x, const at::Tensor& t, const at::Tensor& y) const;

 private:
  Linear &fc1_, &fc2_;
  at::Tensor &time_, &label_;
};

}  // namespace switchyard::diffusion_golden
