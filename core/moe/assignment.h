#pragma once
// Which slot handles which token, in both orders. Tokens may have any number of slots.

#include <ATen/core/Tensor.h>

namespace switchyard {

/// CSR, variable k. All index tensors are i64 on one device. A entries, T tokens, E slots.
/// Token-major: entry a of token t lies in [token_offset[t], token_offset[t+1]), best slot first.
/// Slot-major: slot e owns positions [slot_offset[e], slot_offset[e+1]), tokens rising.
struct Assignment {
  at::Tensor token_offset;  ///< [T+1]
  at::Tensor slot_of;       ///< [A] token-major: 0 .. E-1
  at::Tensor weight;        ///< [A] token-major, factor on the slot's output; differentiable
  at::Tensor slot_offset;   ///< [E+1]
  at::Tensor token_of;      ///< [A] slot-major
  at::Tensor position;      ///< [A] token-major entry -> slot-major position
  at::Tensor entry;         ///< [A] slot-major position -> token-major entry; inverse of `position`
  bool once = false;        ///< known to have exactly one entry of every token

  int64_t tokens() const { return token_offset.size(0) - 1; }
  int64_t entries() const { return slot_of.size(0); }
  int64_t slots() const { return slot_offset.size(0) - 1; }
  /// [E] i64: tokens per slot.
  at::Tensor count() const;
};

/// Builds the slot-major side by a stable counting sort. Errors: shapes that do not fit, a slot
/// outside 0 .. slots-1 (checked on the CPU only: a check on the GPU would stall it).
Assignment make_assignment(const at::Tensor& token_offset, const at::Tensor& slot_of,
                           const at::Tensor& weight, int64_t slots);

}  // namespace switchyard
