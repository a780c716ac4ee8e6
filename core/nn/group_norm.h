#pragma once

#include "core/nn/module.h"

namespace switchyard {

/// Group norm (Wu, He 2018) of [B, C, ...] over blocks of C / groups channels and all places, with
/// weight and bias [C].
class GroupNorm : public Module {
 public:
  /// Error: groups does not divide channels.
  GroupNorm(int64_t groups, int64_t channels, double eps);
  at::Tensor forward(const at::Tensor& x_BC) const;

 private:
  int64_t groups_;
  double eps_;
  at::Tensor &weight_, &bias_;
};

}  // namespace switchyard
