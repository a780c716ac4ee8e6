#include "core/moe/traced_choices.h"

#include <ATen/ops/diff.h>
#include <ATen/ops/index_put.h>
#include <ATen/ops/repeat_interleave.h>

#include "core/moe/router.h"

namespace switchyard {
namespace {

at::Tensor to_cpu(const at::Tensor& t, at::ScalarType type) {
  return t.detach().to(at::kCPU, type).contiguous();
}

/// The entries alone: those of the assignment that are in use.
TracedChoices entries_of(const Assignment& a) {
  const auto offset = to_cpu(a.token_offset, at::kLong);
  const int64_t used = offset[-1].item<int64_t>();
  return {at::diff(offset), to_cpu(a.slot_of.narrow(0, 0, used), at::kShort),
          to_cpu(a.weight.narrow(0, 0, used), at::kHalf), at::ones({used}, at::kByte)};
}

/// Choices without an entry, [T, K].
at::Tensor lost_choices(const at::Tensor& chosen_TK, const TracedChoices& entries,
                        int64_t columns) {
  const int64_t tokens = chosen_TK.size(0);
  const auto token_A =
      at::repeat_interleave(entries.length_T, std::optional(entries.slot_A.size(0)));
  const auto slot_A = entries.slot_A.to(at::kLong).clamp_max(columns);
  const auto has_TE = at::zeros({tokens, columns + 1}, at::kBool)
                          .index_put_({token_A, slot_A}, at::ones({}, at::kBool));
  return (chosen_TK >= 0) & ~has_TE.gather(1, chosen_TK.clamp_min(0));
}

}  // namespace

TracedChoices traced_choices(const RouterOutput& routed) {
  TracedChoices out = entries_of(routed.assignment);
  if (!routed.chosen_TK.defined()) return out;
  const int64_t columns = routed.scores_TE.size(1), experts = columns - routed.null_slots;
  const auto chosen_TK = to_cpu(routed.chosen_TK, at::kLong);
  const auto lost_TK = lost_choices(chosen_TK, out, columns);
  const auto column_A = chosen_TK.masked_select(lost_TK);
  const auto is_null = column_A >= experts;
  const auto slot_A =
      at::where(is_null, column_A + (routed.assignment.slots() - experts), column_A);
  const auto lost_T = lost_TK.sum(1);
  // Entries first, then lost choices, of every token.
  const auto owner = at::cat({at::repeat_interleave(out.length_T), at::repeat_interleave(lost_T)});
  const auto order = std::get<1>(owner.sort(/*stable=*/true, 0, false));
  const auto behind = [&](const at::Tensor& entries, const at::Tensor& lost) {
    return at::cat({entries, lost.to(entries.scalar_type())}).index_select(0, order);
  };
  return {out.length_T + lost_T, behind(out.slot_A, slot_A),
          behind(out.weight_A, at::zeros_like(column_A)), behind(out.kept_A, is_null)};
}

}  // namespace switchyard
