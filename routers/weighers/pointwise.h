#pragma once

#include "core/moe/router.h"

namespace switchyard {

/// Scores are the logits themselves (identity) or 1 / (1 + exp(-logit)) (sigmoid); weights are the
/// scores, not renormalised. An identity weight may be negative.
class PointwiseWeigher : public Weigher {
 public:
  explicit PointwiseWeigher(bool sigmoid) : sigmoid_(sigmoid) {}
  at::Tensor scores(const at::Tensor& logits_TE, const ForwardContext& context) override;
  at::Tensor weights(const at::Tensor& scores_TE, const Selection& selection) override;
  std::optional<TopPRule> rule(int64_t k) const override {
    return TopPRule{{sigmoid_ ? Score::Sigmoid : Score::Identity, false, k}};
  }

 private:
  bool sigmoid_;
};

void register_pointwise_weighers();

}  // namespace switchyard
