#pragma once

#include "core/moe/router.h"

namespace switchyard {

/// The k slots with the largest scores, best first, ties to the lowest slot.
class TopKSelector : public Selector {
 public:
  explicit TopKSelector(int64_t k) : k_(k) {}
  Selection select(const SelectorInput& input, const ForwardContext& context) override;
  double mean_k() const override { return static_cast<double>(k_); }
  int64_t best_k() const override { return k_; }

 private:
  int64_t k_;
};

void register_topk_selector();

}  // namespace switchyard
