#pragma once
// Selection and placement: which slots a token gets, and the order in which slots see tokens.

#include <ATen/core/Tensor.h>

namespace switchyard {

/// scores [T, E] float, double or bfloat16 -> [T, k] i64, best first, ties to the lowest slot, NaN
/// as the smallest. No gradient. Errors: not two axes, k outside 1 .. E.
at::Tensor top_k_slots(const at::Tensor& scores_TE, int64_t k);

/// All [.] i64; see Assignment.
struct SlotMajor {
  at::Tensor slot_offset, token_of, position, entry;
};
/// Stable counting sort of the entries by slot, O(A + E). Deterministic on every device.
/// slot_of [A] i64 in 0 .. slots-1, token_offset [T+1] i64. Error: more than 8192 slots on a GPU.
SlotMajor sort_by_slot(const at::Tensor& slot_of, const at::Tensor& token_offset, int64_t slots);

}  // namespace switchyard
