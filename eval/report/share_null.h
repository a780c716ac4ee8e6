#pragma once
// How far the share of an expert in one domain strays from the seen domains by chance.

#include "eval/analysis/counts.h"
#include "eval/analysis/nulls.h"

namespace switchyard {

/// [domain][expert] log2(share / mean share of the seen domains); kUndefined where a share is 0.
Table log_share_ratio(const Table& share, const std::vector<TraceDomain>& domains);

/// [domain][expert] 95th percentile of |log_share_ratio| of one site under the permutations of the
/// plan; empty where domains are confounded with groups.
Table log_share_ratio_null95(const TraceView& trace, const SequenceCounts& counts,
                             const NullPlan& plan);

}  // namespace switchyard
