#include "routers/hooks/forced_slot.h"

#include "core/moe/token_groups.h"

namespace switchyard {
namespace {
struct Params {
  static void declare(Fields<Params>&) {}
};
}  // namespace

void ForcedSlot::apply(Selection& selection, at::Tensor& weight_A, int64_t first_slot,
                       const ForwardContext& context) const {
  const int64_t tokens = selection.token_offset.size(0) - 1;
  if (!context.cond_mask.defined()) return;
  const auto sequence_T = sequence_of(context.level(), tokens);
  const auto routed_T = context.cond_mask.to(sequence_T.device()).index_select(0, sequence_T);
  const auto forced =
      fixed_k_selection(at::full({tokens, 1}, first_slot, selection.slot_of.options()));
  const auto [mixed, entry_A] = where_tokens(routed_T, selection, forced);
  weight_A = at::cat({at::ones({tokens}, weight_A.options()), weight_A}).index_select(0, entry_A);
  selection = mixed;
}

void register_forced_slot_hook() {
  selection_hooks().add<Params>("forced_slot",
                                "sequences without a condition go to a slot of their own, weight 1",
                                [](const Params&) { return std::make_unique<ForcedSlot>(); });
}

}  // namespace switchyard
