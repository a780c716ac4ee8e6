#pragma once
// The whole decision of a top-k router in one op: two kernels on a GPU, no atomics on floats, no
// host synchronisation, so that it can be captured in a CUDA graph.

#include "core/moe/assignment.h"

namespace switchyard {

/// How logits become scores: softmax over the slots, 1 / (1 + exp(-logit)), or the logits.
enum class Score { Softmax, Sigmoid, Identity };

/// The k best scores of a token are its slots. A slot's weight is its score, over the sum of the
/// chosen ones + 1e-20 where `renormalise` holds and k > 1.
struct TopKRule {
  Score score;
  bool renormalise;
  int64_t k;
};

struct Routed {
  at::Tensor scores_TE;  ///< differentiable
  Assignment assignment;
};

/// Most slots that route_top_k takes.
int64_t route_top_k_slots();

/// logits [T, E], float or double. Ties go to the lowest slot, NaN counts as smallest. Once
/// differentiable in the logits, through scores and weights. The same bits on every run. Errors:
/// shape, type, k outside 1 .. E, E > route_top_k_slots().
Routed route_top_k(const at::Tensor& logits_TE, const TopKRule& rule);

}  // namespace switchyard
