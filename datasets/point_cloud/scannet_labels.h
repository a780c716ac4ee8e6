#pragma once
// The label files of ScanNet, see scannet.h.

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace switchyard {

/// raw_category -> the whole number in `column`; the first line counts where a category has
/// several, lines without a number are left out. Errors with file:line: a column that the first
/// line does not name, too few columns, no number.
std::map<std::string, int64_t> read_label_table(const std::filesystem::path& tsv,
                                                const std::string& column);

struct SegGroup {
  int64_t id;
  std::string label;
  std::vector<int64_t> segments;
};
/// Errors: no list segGroups, a group without id, label or segments, an id below 0.
std::vector<SegGroup> read_seg_groups(const std::filesystem::path& aggregation);

/// Index into `groups` of each point [N] i64, -1 = none, from the segments of a segs.json. Errors:
/// no list segIndices, not `points` long.
at::Tensor group_of_points(const std::filesystem::path& segs, const std::vector<SegGroup>& groups,
                           int64_t points);

}  // namespace switchyard
