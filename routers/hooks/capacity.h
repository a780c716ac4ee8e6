#pragma once

#include "core/moe/router.h"

namespace switchyard {

/// Every slot, a null one too, takes at most
///   max(least, ceil(T / slots * factor * k))
/// of the T tokens of a pass, k being that of a selector with a fixed one, else 1 (GShard, arXiv
/// 2006.16668; with top-p UniMoE-Audio, arXiv 2510.13344). Of more it drops those with the lowest
/// scores (lowest), with the lowest logits (lowest_logit, as UniMoE-Audio does), or the last ones
/// (latest); of equal ones the last. Weights are made of what is left. Tokens that are not valid,
/// or that another hook takes from the router, get no slot and fill none. Not causal.
class CapacityHook : public SelectionHook {
 public:
  struct Params {
    double factor = 1.25;
    int64_t least = 1;
    std::string drop = "lowest";
    static void declare(Fields<Params>& f);
  };
  explicit CapacityHook(const Params& params) : params_(params) {}
  bool cuts() const override { return true; }
  at::Tensor kept(const ChoiceInput& input) const override;
  bool causal() const override { return false; }

  /// Tokens of a slot at most.
  int64_t capacity(int64_t tokens, int64_t slots, int64_t k) const;

 private:
  Params params_;
};

void register_capacity_hook();

}  // namespace switchyard
