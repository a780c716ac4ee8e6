#pragma once
// Moving rows between token order and slot order. Plain functions, no gradient: expert_mlp owns it.

#include <ATen/core/Tensor.h>

namespace switchyard {

/// x [T, C] of any type, index [A] i64 -> [A, C].
at::Tensor gather_rows(const at::Tensor& x_TC, const at::Tensor& index_A);

/// A row per slot that is added to all rows of the slot: value [E, C], slot_of [A] token-major.
struct RowBias {
  at::Tensor value_EC, slot_of;
};

/// Type of the weights of rows like `rows`: float for half types, else their own.
at::ScalarType row_weight_type(const at::Tensor& rows);

/// out[t] = sum over entries a of token t, in order, of
/// weight[a] * (rows[position[a]] + bias[slot_of[a]]), [T, C].
/// rows [A, C] slot-major; weight [A] token-major of
/// row_weight_type(), or undefined for ones; sums run in float for half types. No atomics: equal
/// bits on every run. `only_rows_are_new`: the last kernel that was launched wrote the rows, and
/// all else was there before it; the indices are then read while it ends.
at::Tensor combine_rows(const at::Tensor& rows_AC, const at::Tensor& weight_A,
                        const at::Tensor& position_A, const at::Tensor& token_offset,
                        const RowBias& bias = {}, bool only_rows_are_new = false);

}  // namespace switchyard
