#include "datasets/check.h"

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <functional>
#include <map>

#include "core/base/error.h"
#include "datasets/folder.h"
#include "datasets/point_cloud/bin_label.h"
#include "datasets/point_cloud/npy_folder.h"
#include "datasets/shards.h"

namespace switchyard {
namespace fs = std::filesystem;
namespace {

using Lines = std::vector<std::string>;

/// Some folder exactly `depth` levels below `folder` holds `name`.
bool holds(const fs::path& folder, int depth, const std::string& name) {
  if (depth == 0) return fs::exists(folder / name);
  const auto inner = subfolders(folder);
  return std::any_of(inner.begin(), inner.end(),
                     [&](const auto& f) { return holds(folder / f, depth - 1, name); });
}

void add_counts(const std::string& what, const std::map<std::string, int64_t>& counts,
                Lines& lines) {
  for (const auto& [name, count] : counts) lines.push_back(cat(what, name, ": ", count));
}

/// Reads every sample and describes the whole.
void add_samples(const Dataset& dataset, Lines& lines) {
  std::map<std::string, int64_t> samples, points;
  for (int64_t i = 0; i < dataset.size(); ++i) {
    const Sample sample = dataset.get(i, {});
    ++samples[sample.info.domain + "/" + sample.info.split];
    for (const auto& [key, tensor] : sample.tensors)
      points[key] += tensor.dim() == 0 ? 1 : tensor.size(0);
  }
  add_counts("samples of ", samples, lines);
  add_counts("rows of ", points, lines);
  const auto& classes = dataset.info().class_names;
  lines.push_back(cat("classes: ", classes.empty() ? "none" : join(classes)));
  lines.push_back("hash: " + dataset.info().hash);
}

Lines check_shards(const fs::path& folder) {
  const ShardDataset dataset(folder);
  dataset.verify();
  Lines lines = {
      cat("layout: shards, ", dataset.index().shards.size(), " files, all hashes agree")};
  add_samples(dataset, lines);
  return lines;
}

Lines check_npy(const fs::path& folder, bool flat) {
  NpyFolderParams params;
  params.root = folder.string();
  if (flat) params.domain = folder.filename().string();
  Lines lines = {flat ? "layout: npy_folder, flat (ROOT/<sample>/; needs the parameter domain)"
                      : "layout: npy_folder (ROOT/<domain>/<split>/<sample>/)"};
  add_samples(NpyFolderDataset(params), lines);
  return lines;
}

/// Counts points and raw ids of one split. Class maps are a matter of the experiment.
int64_t count_split(const fs::path& split, const Lines& names, std::map<int64_t, int64_t>& ids) {
  int64_t points = 0;
  for (const auto& name : names) {
    const int64_t count = read_bin(split / "velodyne" / (name + ".bin")).size(0);
    points += count;
    if (!fs::exists(split / "labels")) continue;
    const at::Tensor raw = read_label(split / "labels" / (name + ".label"), count);
    for (int64_t i = 0; i < count; ++i) ++ids[raw.const_data_ptr<int64_t>()[i]];
  }
  return points;
}

Lines check_bin_label(const fs::path& folder) {
  Lines lines = {
      "layout: bin_label (ROOT/SENSOR/SPLIT/velodyne/*.bin); labelled sensors need class maps"};
  for (const auto& sensor : subfolders(folder)) {
    std::map<int64_t, int64_t> ids;
    for (const auto& split : subfolders(folder / sensor)) {
      const fs::path place = folder / sensor / split;
      if (!fs::is_directory(place / "velodyne")) continue;
      const auto names = stems_of(place / "velodyne", ".bin");
      const int64_t points = count_split(place, names, ids);
      lines.push_back(
          cat("scans of ", sensor, "/", split, ": ", names.size(), ", points ", points));
    }
    for (const auto& [id, count] : ids)
      lines.push_back(cat("raw label ", id, " of ", sensor, ": ", count));
  }
  return lines;
}

}  // namespace

std::vector<std::string> check_dataset(const fs::path& folder) {
  check(fs::is_directory(folder), folder.string(), "no such folder");
  if (fs::exists(folder / kShardIndexName)) return check_shards(folder);
  if (holds(folder, 2, "velodyne")) return check_bin_label(folder);
  if (holds(folder, 3, "coord.npy")) return check_npy(folder, false);
  if (holds(folder, 1, "coord.npy")) return check_npy(folder, true);
  fail(folder.string(), "unknown layout; valid: shards (", kShardIndexName,
       "), bin_label (SENSOR/SPLIT/velodyne/*.bin), npy_folder "
       "(<domain>/<split>/<sample>/coord.npy or <sample>/coord.npy)");
}

}  // namespace switchyard
