#pragma once

#include "core/moe/router.h"

namespace switchyard {

/// Scores p = softmax(logits) over all slots, or over the tokens of a sequence for each slot
/// (ProMoE's expert choice). Weight = p / (sum of the token's chosen p + 1e-20)
/// where `renormalise` holds and the token has more than one slot, or `singles`; else p itself.
class SoftmaxWeigher : public Weigher {
 public:
  explicit SoftmaxWeigher(bool renormalise, bool over_tokens = false, bool singles = false)
      : renormalise_(renormalise), over_tokens_(over_tokens), singles_(singles) {}
  at::Tensor scores(const at::Tensor& logits_TE, const ForwardContext& context) override;
  at::Tensor weights(const at::Tensor& scores_TE, const Selection& selection) override;
  std::optional<TopPRule> rule(int64_t k) const override;

 private:
  bool renormalise_, over_tokens_, singles_;
};

void register_softmax_weigher();

}  // namespace switchyard
