#pragma once

#include "core/moe/router.h"

namespace switchyard {

/// Scores p = softmax(logits) over all slots. Weight = p / (sum of the token's chosen p + 1e-20)
/// where `renormalise` holds and the token has more than one slot; else p itself.
class SoftmaxWeigher : public Weigher {
 public:
  explicit SoftmaxWeigher(bool renormalise) : renormalise_(renormalise) {}
  at::Tensor scores(const at::Tensor& logits_TE) override;
  at::Tensor weights(const at::Tensor& scores_TE, const Selection& selection) override;

 private:
  bool renormalise_;
};

void register_softmax_weigher();

}  // namespace switchyard
