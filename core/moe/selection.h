#pragma once

#include <ATen/core/Tensor.h>

#include <utility>

namespace switchyard {

/// Slots of every token, best first. token_offset [T+1], slot_of [A], both i64. `k`: slots per
/// token where all have the same number, else 0.
struct Selection {
  at::Tensor token_offset, slot_of;
  int64_t k = 0;
};

/// [T, k] i64 slots, best first -> the selection that they are.
Selection fixed_k_selection(const at::Tensor& slot_TK);
/// The token of every entry, [A] i64.
at::Tensor token_of_entry(const Selection& selection);
/// [A]: the value of every entry's token and slot out of [T, E]. Differentiable.
at::Tensor chosen(const at::Tensor& value_TE, const Selection& selection);
/// mask [T, E] bool -> its slots, rising.
Selection mask_selection(const at::Tensor& mask_TE);
/// Token t of the result has the slots of token row_T[t] of `selection`; second: the entry of
/// `selection` that every entry of the result came from.
std::pair<Selection, at::Tensor> take_tokens(const Selection& selection, const at::Tensor& row_T);
/// The entries for which kept_A [A] bool holds; second: which those are.
std::pair<Selection, at::Tensor> keep_entries(const Selection& selection, const at::Tensor& kept_A);
/// [T, K] the slots of every token, -1 behind the last; K is the most that a token has.
at::Tensor padded_slots(const Selection& selection);
/// Token t has its slots from `yes` where choose_T[t] holds, else from `no`. Second: the entry of
/// `no`, then of `yes`, that every entry of the result came from.
std::pair<Selection, at::Tensor> where_tokens(const at::Tensor& choose_T, const Selection& yes,
                                              const Selection& no);

}  // namespace switchyard
