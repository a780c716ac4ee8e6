#pragma once
// Share of each expert, per layer and domain. Counts are routed slots as selected, before capacity;
// null and shared slots never count. Means over domains weigh every domain with assignments the
// same.

#include "eval/analysis/stats.h"
#include "eval/analysis/trace_view.h"

namespace switchyard {

/// How evenly one layer's experts carry the load (population deviation).
struct Balance {
  double cv = kUndefined, max_violation = kUndefined;  ///< deviation / mean; E max - 1
  Indices dead, hot;                                   ///< share * E below / above the bounds
};
Balance balance_of(const Row& share, double dead_below = 0.1, double hot_above = 2.0);

struct LoadShare {
  std::vector<IndexTable> count;  ///< [l][d][e]
  std::vector<Table> share;       ///< [l][d][e] of the domain's assignments; NaN row if it has none
  std::vector<Table> token_share;                ///< [l][d][e] count / tokens of the domain
  Row uniform;                                   ///< [l] 1 / E
  Table mean_share, pooled_share;                ///< [l][e]
  std::vector<Balance> balance, balance_pooled;  ///< [l], of mean_share and pooled_share
  Table null_share;                              ///< [l][d] null / (null + routed) entries
  IndexTable shared_count;  ///< [l][slot] entries of the slots after the null ones
  Table weight_share;       ///< [l][e] of the summed weights of routed entries
};

LoadShare load_share(const TraceView& trace, double dead_below = 0.1, double hot_above = 2.0);

}  // namespace switchyard
