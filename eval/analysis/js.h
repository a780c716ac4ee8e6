#pragma once
// Jensen-Shannon divergence (bits) of two domains' expert shares, per layer.

#include <optional>

#include "eval/analysis/counts.h"
#include "eval/analysis/nulls.h"

namespace switchyard {

struct JsDivergence {
  std::vector<Table> js, lo, hi;        ///< [l][a][b]; NaN on the diagonal and under min_sequences
  std::vector<Table> js_debiased;       ///< js - mean of the two split-half means; may be negative
  Table split_half95, split_half_mean;  ///< [l][a] JS between random halves of one domain
  std::vector<std::vector<std::vector<std::optional<bool>>>>
      within_null;          ///< js <= either split_half95
  IndexTable nearest_seen;  ///< [l][a] for unseen domains, else -1 (also where undefined)
  Indices sequences;        ///< [d] non-empty sequences
};

JsDivergence js_divergence(const TraceView& trace, const std::vector<SequenceCounts>& counts,
                           const IndexTable& resamples, const IndexTable& splits,
                           int64_t min_sequences = 8);

/// For traces with the same groups in several domains: permutations move domains inside a group.
struct PairedDivergence {
  std::vector<Table> js, null95, p;  ///< [l][a][b]; p undefined on the diagonal
  std::vector<Table> group_mean;     ///< mean over groups of the JS between its two versions
  Row nmi, nmi_null95, nmi_p;        ///< [l], assignments weighted as counted
};
PairedDivergence paired_divergence(const TraceView& trace,
                                   const std::vector<SequenceCounts>& counts,
                                   const IndexTable& permutations);

}  // namespace switchyard
