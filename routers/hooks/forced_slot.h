#pragma once

#include "core/moe/router.h"

namespace switchyard {

/// Tokens of sequences without a condition (ForwardContext::cond_mask false) go to one slot of
/// their own, behind the experts, with weight 1: ProMoE's unconditional expert (arXiv 2510.24711,
/// section 3.1). Without a mask every sequence has a condition.
class ForcedSlot : public SelectionHook {
 public:
  int64_t extra_slots() const override { return 1; }
  std::vector<std::string> reads() const override { return {"cond_mask"}; }
  at::Tensor routed(const ForwardContext& context) const override { return context.cond_mask; }
  bool forces_slot() const override { return true; }
  void apply(Selection& selection, at::Tensor& weight_A, int64_t first_slot,
             const ForwardContext& context) const override;
};

void register_forced_slot_hook();

}  // namespace switchyard
