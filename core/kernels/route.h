#pragma once
// The whole decision of a top-k router in one op: two kernels on a GPU, no atomics on floats, no
// host synchronisation, so that it can be captured in a CUDA graph.

#include <optional>

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

/// Tokens that the rule does not decide: those of the sequences with routed_S false have one slot,
/// number E, the one behind those of the logits, with weight 1.
struct ForcedTokens {
  at::Tensor seq_offset;  ///< [S+1] i64
  at::Tensor routed_S;    ///< [S] bool; undefined: all true
};

struct Routed {
  at::Tensor scores_TE;   ///< differentiable; undefined where nobody wants them
  Assignment assignment;  ///< over E slots, with forced tokens over E + 1
};

/// True where route_top_k takes that many slots, the forced one included, and that k.
bool route_top_k_fits(int64_t slots, int64_t k);

/// logits [T, E], float or double. Ties go to the lowest slot, NaN counts as smallest. Once
/// differentiable in the logits, through scores and weights. `with_scores`: false saves writing
/// them. The same bits on every run. Errors:
/// shape, type, k outside 1 .. E or other than 1 with forced tokens, not route_top_k_fits().
Routed route_top_k(const at::Tensor& logits_TE, const TopKRule& rule,
                   const std::optional<ForcedTokens>& forced = {}, bool with_scores = true);

}  // namespace switchyard
