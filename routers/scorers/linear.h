#pragma once

#include "core/moe/router.h"

namespace switchyard {

/// logits = x W^T in float at least. Publishes `weight` [E, C] (no bias), init
/// U(-1/sqrt C, 1/sqrt C), and the buffer `score_accumulator` [E] of Point-MoE, which stays zero.
class LinearScorer : public Scorer {
 public:
  LinearScorer(int64_t channels, int64_t experts);
  at::Tensor forward(const at::Tensor& x_TC, const ForwardContext& context) override;

 private:
  at::Tensor& weight_EC_;
};

void register_linear_scorer();

}  // namespace switchyard
