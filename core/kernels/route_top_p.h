#pragma once
// The whole decision of a router whose tokens take different numbers of slots, in one op: two
// kernels on a GPU, no atomics on floats, no host synchronisation, so that it can be captured in a
// CUDA graph. Capacity is no part of it: dropping the lowest scores of a slot sorts its tokens,
// which is a third pass; see routers/hooks/capacity.h.

#include "core/kernels/route.h"

namespace switchyard {

/// A token takes its best slots, best first, until their scores sum to p, at least one and at most
/// best.k; from p = 1 on best.k. The last `null_slots` columns are slots that do nothing: they are
/// chosen, but have no entries. A weight is the slot's score, over the sum of the chosen scores +
/// 1e-20 where best.renormalise holds and more than one counts, or `singles`. Null slots count in
/// that sum where `keep_share` holds.
struct TopPRule {
  TopKRule best;
  double p = 1;
  int64_t null_slots = 0;
  bool keep_share = true, singles = false;
};

/// True where route_top_k does the same as route_top_p.
bool is_top_k(const TopPRule& rule);

struct RoutedTopP {
  at::Tensor scores_TE;   ///< differentiable
  at::Tensor chosen_TK;   ///< [T, k] i16: columns, best first, null ones included; -1: no more
  Assignment assignment;  ///< over the slots without the null ones; T * k entries at most
};

/// logits [T, E], float or double. The number of entries stays on the device: their arrays are as
/// long as it can be (assignment.h). Ties go to the lowest slot, NaN counts as smallest. Once
/// differentiable in the logits, through scores and weights. The same bits on every run. Errors:
/// shape, type, k outside 1 .. E, null_slots outside 0 .. E - 1, not route_top_k_fits().
RoutedTopP route_top_p(const at::Tensor& logits_TE, const TopPRule& rule);

}  // namespace switchyard
