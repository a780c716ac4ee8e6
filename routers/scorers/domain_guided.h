#pragma once

#include "core/moe/router.h"

namespace switchyard {

/// Point-MoE's domain-guided variant: logits = [x, context of the token's sequence] W^T in float at
/// least, where the contexts are ForwardContext::cond [S, c], learned vectors of the data domains.
/// An oracle: the domain must be known at evaluation too. Publishes `weight` [E, C + c] (no bias),
/// init U(-1/sqrt(C + c), 1/sqrt(C + c)), and the buffer `score_accumulator` [E], which stays zero.
class DomainGuidedScorer : public Scorer {
 public:
  DomainGuidedScorer(int64_t channels, int64_t context_channels, int64_t experts);
  /// Errors: context.cond missing, of another width, or not one row per sequence.
  at::Tensor forward(const at::Tensor& x_TC, const ForwardContext& context) override;
  /// The domain, by its vector.
  std::vector<std::string> reads() const override { return {"cond", "domain_id"}; }

 private:
  int64_t channels_, context_channels_;
  at::Tensor& weight_EC_;
};

void register_domain_guided_scorer();

}  // namespace switchyard
