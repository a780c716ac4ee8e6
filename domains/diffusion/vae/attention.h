#pragma once

#include "core/nn/group_norm.h"
#include "core/nn/linear.h"
#include "domains/diffusion/vae/params.h"

namespace switchyard {

/// Attention over all pixels of an image, group norm before and the input added after it. Published
/// VAEs have one head. Published: group_norm, to_q, to_k, to_v, to_out.0.
class VaeAttention : public Module {
 public:
  VaeAttention(int64_t channels, const VaeNorm& norm, int64_t heads = 1);
  /// [B, C, H, W] -> [B, C, H, W].
  at::Tensor forward(const at::Tensor& x_BCHW) const;

 private:
  int64_t heads_;
  GroupNorm* norm_;
  Linear *q_, *k_, *v_, *out_;
};

}  // namespace switchyard
