#include "domains/point_cloud/model/conditions.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>

#include "core/base/error.h"

namespace switchyard {
namespace {

int64_t length_of(const std::vector<int64_t>& offset, int64_t cloud) {
  const auto b = static_cast<size_t>(cloud);
  return offset[b + 1] - offset[b];
}

}  // namespace

std::vector<ConditionGroup> group_conditions(const std::vector<int64_t>& condition_B,
                                             const std::vector<int64_t>& offset, int64_t count,
                                             const char* where) {
  check(condition_B.size() + 1 == offset.size(), where, "conditions: got ", condition_B.size(),
        " for ", offset.size() - 1, " clouds, expected one per cloud");
  std::vector<ConditionGroup> groups;
  for (size_t b = 0; b < condition_B.size(); ++b) {
    const int64_t condition = condition_B[b];
    check(condition >= 0 && condition < count, where, "condition of cloud ", b, ": got ", condition,
          ", expected 0 to ", count - 1);
    auto found = std::find_if(groups.begin(), groups.end(),
                              [&](const auto& group) { return group.condition == condition; });
    if (found == groups.end()) found = groups.insert(found, {condition, {}});
    found->clouds.push_back(static_cast<int64_t>(b));
  }
  return groups;
}

at::Tensor rows_of_clouds(const std::vector<int64_t>& clouds, const std::vector<int64_t>& offset) {
  std::vector<at::Tensor> parts;
  for (const int64_t b : clouds) {
    const int64_t begin = offset[static_cast<size_t>(b)];
    parts.push_back(at::arange(begin, begin + length_of(offset, b), at::kLong));
  }
  return at::cat(parts);
}

at::Tensor spread_clouds(const at::Tensor& x_BC, const std::vector<int64_t>& offset) {
  check(x_BC.dim() == 2 && x_BC.size(0) + 1 == static_cast<int64_t>(offset.size()), "spread_clouds",
        "rows: got ", x_BC.size(0), " for ", offset.size() - 1, " clouds, expected one per cloud");
  std::vector<at::Tensor> parts;
  for (int64_t b = 0; b < x_BC.size(0); ++b)
    parts.push_back(x_BC.narrow(0, b, 1).expand({length_of(offset, b), x_BC.size(1)}));
  return at::cat(parts);
}

}  // namespace switchyard
