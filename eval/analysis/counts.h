#pragma once
// Assignment counts per sequence: the tables that every permutation and resample adds up, so that a
// replicate costs sequences x experts, not tokens.

#include "eval/analysis/stats.h"
#include "eval/analysis/trace_view.h"

namespace switchyard {

/// Counts of one site: routed slots as selected.
struct SequenceCounts {
  int64_t experts = 0, classes = 0;
  std::vector<int64_t> expert;        ///< [S, E]
  std::vector<int64_t> class_expert;  ///< [S, C, E], labelled tokens only
  const int64_t* of(int64_t sequence) const { return expert.data() + sequence * experts; }
  const int64_t* of_classes(int64_t sequence) const {
    return class_expert.data() + sequence * classes * experts;
  }
};

/// One entry per site.
std::vector<SequenceCounts> count_sequences(const TraceView& trace);

/// [domains][experts]: sequence `list[i]` is added to row `domain[i]`.
Table domain_counts(const SequenceCounts& counts, const Indices& list, const Indices& domain,
                    int64_t domains);

}  // namespace switchyard
