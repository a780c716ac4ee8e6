#pragma once
// Which experts are chosen together: pair counts of every layer and their lift over independence.

#include "eval/analysis/clustering.h"
#include "eval/analysis/trace_view.h"

namespace switchyard {

struct Coactivation {
  std::vector<IndexTable> pair_count;  ///< [l][a][b] tokens with both; diagonal: tokens with a
  std::vector<Table> lift;  ///< [l][a][b] log2 P(ab) / P(a)P(b) over all tokens; undefined on the
                            ///< diagonal and for fewer than `min_pairs` tokens
  /// [l] average linkage of 1 - n_ab / (n_a + n_b - n_ab) between experts with tokens; ids index
  /// those experts. Empty where no token has two experts.
  std::vector<std::vector<Clustering::Merge>> linkage;
  IndexTable order;        ///< [l] leaves, then experts without tokens by index; empty as above
  Table partner_bits;      ///< [l][e] entropy of an expert's partners
  Table partner_relative;  ///< [l][e] the same / log2(E - 1)
  Row partner_bits_mean;   ///< [l] weighted by pair counts
};

/// Routed slots as selected. `min_pairs`: fewer tokens give no ratio.
Coactivation coactivation(const TraceView& trace, int64_t min_pairs = 20);

}  // namespace switchyard
