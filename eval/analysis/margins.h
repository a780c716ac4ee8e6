#pragma once
// How clear the router's choices are, what capacity drops, and how many experts a token takes.

#include "eval/analysis/stats.h"
#include "eval/analysis/trace_view.h"

namespace switchyard {

struct Margins {
  /// [l][bin] tokens by p1 - p2, and by p_k - p_(k+1) at the token's own k (competing slots, null
  /// ones included; tokens that take none or every column are left out). 0 to 1, last bin closed;
  /// all 0 without scores.
  IndexTable margin, kth_gap;
  Row margin_median, kth_gap_median;  ///< [l]
  Indices kth_gap_tokens;             ///< [l]
  Table drop;                         ///< [l][d] dropped / selected assignments
  Table mean_k, mean_k_kept;          ///< [l][d] routed slots per token, before and after capacity
  Table k10, k90;                     ///< [l][d] percentiles of the same before capacity
  IndexTable k_hist;                  ///< [l][k] tokens, k = 0 .. E
  IndexTable drop_count_expert;       ///< [l][e]
  std::vector<bool> fixed_k;          ///< [l] every token takes the same number
};

Margins margins(const TraceView& trace, int64_t bins = 30);

}  // namespace switchyard
