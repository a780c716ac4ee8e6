#include "datasets/point_cloud/scannet_labels.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <charconv>
#include <unordered_map>

#include "core/io/file.h"
#include "core/io/json.h"
#include "core/io/printable.h"

namespace switchyard {
namespace fs = std::filesystem;
namespace {

size_t column_of(const std::vector<std::string>& head, const std::string& name,
                 const std::string& where) {
  check_name(where, "column", name, head);
  return static_cast<size_t>(std::find(head.begin(), head.end(), name) - head.begin());
}

std::vector<std::string> cells_of(const std::string& line) {
  return split(line.ends_with('\r') ? line.substr(0, line.size() - 1) : line, '\t');
}

const Json& list_at(const Json& object, const char* key, const std::string& where) {
  const bool found = object.is_object() && object.contains(key) && object.at(key).is_array();
  check(found, where, "expected a list '", key, "'");
  return object.at(key);
}

}  // namespace

std::map<std::string, int64_t> read_label_table(const fs::path& tsv, const std::string& column) {
  const auto lines = split(read_text(tsv), '\n');
  const auto head = cells_of(lines.front());
  const std::string first = tsv.string() + ":1";
  const size_t category = column_of(head, "raw_category", first),
               id = column_of(head, column, first);
  std::map<std::string, int64_t> out;
  for (size_t i = 1; i < lines.size(); ++i) {
    if (trim(lines[i]).empty()) continue;
    const auto cells = cells_of(lines[i]);
    const std::string where = cat(tsv.string(), ":", i + 1);
    check(cells.size() > std::max(category, id), where, "too few columns: got ", cells.size(),
          ", expected ", head.size());
    const std::string_view text = trim(cells[id]);
    if (text.empty()) continue;
    int64_t value = -1;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    check(error == std::errc() && end == text.data() + text.size() && value >= 0, where, "bad ",
          column, ": got ", printable(text), ", expected a whole number from 0");
    out.emplace(cells[category], value);
  }
  return out;
}

std::vector<SegGroup> read_seg_groups(const fs::path& aggregation) {
  const Json file = read_json(aggregation);
  std::vector<SegGroup> out;
  for (const Json& group : list_at(file, "segGroups", aggregation.string())) {
    const std::string where = cat(aggregation.string(), ":segGroups[", out.size(), "]");
    check(group.is_object() && group.contains("label") && group.at("label").is_string(), where,
          "expected a group with a text 'label'");
    out.push_back({integer_at(group, "id", where), group.at("label").get<std::string>(),
                   integers_at(group, "segments", where)});
    check(out.back().id >= 0, where, "bad id: got ", out.back().id, ", expected at least 0");
  }
  return out;
}

at::Tensor group_of_points(const fs::path& segs, const std::vector<SegGroup>& groups,
                           int64_t points) {
  const auto segment_of = integers_at(read_json(segs), "segIndices", segs.string());
  check(static_cast<int64_t>(segment_of.size()) == points, segs.string(),
        "wrong number of points: got ", segment_of.size(), ", expected ", points,
        " as in the mesh");
  std::unordered_map<int64_t, int64_t> group_of;
  for (size_t g = 0; g < groups.size(); ++g) {
    for (const int64_t segment : groups[g].segments) group_of[segment] = static_cast<int64_t>(g);
  }
  at::Tensor out = at::empty({points}, at::kLong);
  for (int64_t i = 0; i < points; ++i) {
    const auto found = group_of.find(segment_of[static_cast<size_t>(i)]);
    out.data_ptr<int64_t>()[i] = found == group_of.end() ? -1 : found->second;
  }
  return out;
}

}  // namespace switchyard
