#pragma once
// Conditions of Point Prompt Training (Wu et al. 2024): which prompt, norm and head the clouds of
// a batch take. They stand in ForwardContext::condition.

#include <ATen/core/Tensor.h>

#include <vector>

namespace switchyard {

/// The clouds of a batch that share a condition, rising.
struct ConditionGroup {
  int64_t condition;
  std::vector<int64_t> clouds;
};

/// Groups in first-seen order. `offset` [B+1], starts with 0. Errors: not one condition per cloud,
/// a condition outside 0 .. count-1; `where` names the module in messages.
std::vector<ConditionGroup> group_conditions(const std::vector<int64_t>& condition_B,
                                             const std::vector<int64_t>& offset, int64_t count,
                                             const char* where);

/// Rows of the given clouds [M] i64, on the CPU.
at::Tensor rows_of_clouds(const std::vector<int64_t>& clouds, const std::vector<int64_t>& offset);

/// One row per voxel out of one row per cloud: [B, C] -> [N, C].
at::Tensor spread_clouds(const at::Tensor& x_BC, const std::vector<int64_t>& offset);

}  // namespace switchyard
