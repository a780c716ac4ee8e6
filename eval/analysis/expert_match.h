#pragma once
// Experts of one run matched to those of another by what they handle.

#include "eval/analysis/counts.h"

namespace switchyard {

struct ExpertMatch {
  Table overlap;     ///< [a][b] sum_j min(a_j, b_j), 0 to 1
  Indices match;     ///< [a] expert of B, -1: none with enough overlap
  double total = 0;  ///< overlap of all pairs of the best one-to-one matching
};

/// Profiles [expert][j] sum to 1, rows without tokens are undefined and match nothing. Pairs with
/// overlap under `min_overlap` are left unmatched.
ExpertMatch match_experts(const Table& profile_a, const Table& profile_b, double min_overlap = 0.5);

/// [expert][domain x class] distribution of an expert's assignments over (domain, class); over
/// domains where the layer has no labels.
Table expert_profiles(const TraceView& trace, const SequenceCounts& counts);

}  // namespace switchyard
