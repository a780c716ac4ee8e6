#pragma once
// Evaluates a model on every domain of its task and keeps sums per sequence, from which values,
// intervals and tables of any class list are computed.

#include "core/train/task.h"
#include "eval/study/results.h"

namespace switchyard {

/// Sums of one evaluation. `target` counts labelled elements per class, for the class lists.
struct Evaluation {
  std::vector<GroupRow> rows;                         ///< one per sequence; num = hits, den = union
  std::map<std::string, std::vector<double>> target;  ///< per domain [classes]
  int64_t tokens = 0, flops = 0;
  double seconds = 0;
};

/// Called with every batch's outputs and context after the forward pass.
using OutputsObserver = std::function<void(const Outputs&, ForwardContext&)>;

/// One pass over `split`, without gradients, the model in evaluation mode. `prepare` may attach a
/// trace.
Evaluation evaluate(Task& task, Module& model, const std::string& split, const std::string& device,
                    const std::function<void(const Batch&, ForwardContext&)>& prepare = {},
                    const OutputsObserver& observe = {});

/// Whether a metric comes from test-time voting, which is an evaluation of its own.
inline bool is_voted(const std::string& metric) { return metric.ends_with("@test-vote"); }

/// Class indices per domain under a protocol: "miou@voxel-all" (every class, an absent one counts
/// 0), "miou@voxel-present" (at least `share` of the domain's labels), "miou@test-vote" (every
/// class, as published); any other, as "miou@voxel-common": in that list for every domain.
std::map<std::string, Indices> class_lists(const Evaluation& evaluation, const std::string& metric,
                                           double share);

}  // namespace switchyard
