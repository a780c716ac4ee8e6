#pragma once
// Which slot handles which token, in both orders. Tokens may have any number of slots.

#include <ATen/core/Tensor.h>

namespace switchyard {

/// CSR, variable k. All index tensors are i64 on one device. A entries, T tokens, E slots.
/// Token-major: entry a of token t lies in [token_offset[t], token_offset[t+1]), best slot first.
/// Slot-major: slot e owns positions [slot_offset[e], slot_offset[e+1]), tokens rising.
///
/// Where the number of entries is known to the device alone (route_top_p), A is the most that it
/// can be, and entries from token_offset[T] = slot_offset[E] on are not in use. They are harmless:
/// slot_of, token_of and weight hold 0, position and entry their own place. Work by the offsets:
/// what a product, an activation or a gradient of `weight` holds behind them has no meaning.
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
  /// A: with entries that are not in use.
  int64_t entries() const { return slot_of.size(0); }
  int64_t slots() const { return slot_offset.size(0) - 1; }
  /// Entries in use. Waits for the device.
  int64_t used() const;
  /// [E] i64: tokens per slot.
  at::Tensor count() const;
};

/// [T, E] the weight of every token's slots, 0 where it has no entry. Differentiable in the
/// weights. Waits for the device.
at::Tensor dense_weights(const Assignment& assignment);

/// Builds the slot-major side by a stable counting sort. Errors: shapes that do not fit, a slot
/// outside 0 .. slots-1 (checked on the CPU only: a check on the GPU would stall it).
Assignment make_assignment(const at::Tensor& token_offset, const at::Tensor& slot_of,
                           const at::Tensor& weight, int64_t slots);

}  // namespace switchyard
