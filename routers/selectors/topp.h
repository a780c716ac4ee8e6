#pragma once

#include "core/moe/router.h"

namespace switchyard {

/// The fewest slots, best first, whose scores sum to p, at most max_k: a token is unsure, so it
/// takes more (Dynamic MoE, arXiv 2403.07652; UniMoE-Audio, arXiv 2510.13344). At least one; from
/// p = 1 on all max_k. Ties to the lowest slot. Made for scores that sum to 1.
class TopPSelector : public Selector {
 public:
  struct Params {
    double p = 0.7;
    std::optional<int64_t> max_k;
    std::optional<double> mean_k;
    static void declare(Fields<Params>& f);
  };
  /// Error: max_k above the number of slots.
  TopPSelector(const Params& params, int64_t slots);
  Selection select(const SelectorInput& input, const ForwardContext& context) override;
  /// Without `mean_k` that of equal scores, the most that p can ask for on average.
  double mean_k() const override;
  int64_t best_k() const override { return max_k_; }
  double best_p() const override { return p_; }

 private:
  double p_;
  int64_t max_k_;
  std::optional<double> mean_k_;
  int64_t slots_;
};

void register_topp_selector();

}  // namespace switchyard
