#pragma once
// What "by chance" means for a trace. Tokens of one sequence are not independent, so labels move
// and bootstraps draw by sequence. Where groups (rooms, drives) span domains, domain labels move
// within a group only; where every domain is a single group, domain and group cannot be told apart.

#include "eval/analysis/stats.h"
#include "eval/analysis/trace_view.h"

namespace switchyard {

struct NullPlan {
  std::string kind;    ///< "paired-groups", "sequences" or "confounded"
  std::string status;  ///< "ok" or "confounded with scene" (then no p-value, no null)
  std::string unit;    ///< what is exchanged, in words
  int64_t draws = 0;
  IndexTable
      permutations;  ///< [R][S]: sequence s gets the domain of sequence perm[s]; empty: confounded
  IndexTable shuffles;   ///< [R][S]: permutations of all sequences, for nulls without domains
  IndexTable resamples;  ///< [R][S]: bootstrap, drawn inside each domain
  IndexTable splits;     ///< [R][S]: 0/1, random halves of each domain
};

NullPlan plan_nulls(const TraceView& trace, int64_t draws, RandomStream stream);

/// p = (1 + #{null >= value - 1e-12}) / (1 + R) over defined replicates; kUndefined if there are
/// none.
double permutation_p(double value, const Row& null);

}  // namespace switchyard
