#include "datasets/point_cloud/point_files.h"

#include <ATen/TensorOperators.h>

#include <algorithm>

#include "datasets/folder.h"
#include "datasets/point_cloud/arrays.h"
#include "datasets/point_cloud/point_file.h"
#include "datasets/point_cloud/points.h"

namespace switchyard {
namespace fs = std::filesystem;
namespace {

/// Names, with extension, of the files directly inside that hold points, sorted.
std::vector<std::string> point_files_in(const fs::path& folder) {
  std::vector<std::string> out;
  for (const auto& extension : point_file_extensions()) {
    for (const auto& stem : stems_of(folder, extension)) out.push_back(stem + extension);
  }
  std::sort(out.begin(), out.end());
  return out;
}

at::Tensor color_of(const at::Tensor& stored, const fs::path& path) {
  const std::string where = path.string() + ":colors";
  if (path.extension() != ".xyzrgb") return to_color(stored, where);
  const int64_t bad = ((stored >= 0) & (stored <= 1)).logical_not().sum().item<int64_t>();
  check(bad == 0, where, bad, " colour values are not from 0 to 1");
  return to_color((stored * 255).round(), where);
}

at::Tensor to_float(const at::Tensor& stored, int64_t columns, const std::string& where) {
  const bool whole = columns == 0 && !stored.is_floating_point();  // intensity in 0 .. 65535
  check_array(stored, columns, whole ? at::kLong : at::kFloat, where);
  return stored.to(at::kFloat).contiguous();
}

}  // namespace

void PointFilesParams::declare(Fields<PointFilesParams>& f) {
  f.add("root", &PointFilesParams::root, "folder of the data");
  f.add("domain", &PointFilesParams::domain,
        "data domain of the flat layout ROOT/<name>.ply; empty: nested layout");
  f.add("split", &PointFilesParams::split, "split of all files of the flat layout");
  f.add("source", &PointFilesParams::source, "public name of the data, quoted in results");
  f.add("segment", &PointFilesParams::segment, "property that holds the labels");
  f.add("classes", &PointFilesParams::classes, "class names; the index is the label");
  f.add("synthetic", &PointFilesParams::synthetic, "simulated data: tables then say so");
}

PointFilesDataset::PointFilesDataset(const PointFilesParams& params)
    : root_(params.root), segment_(params.segment) {
  if (params.domain.empty()) {
    for (const auto& domain : subfolders(root_)) {
      for (const auto& split : subfolders(root_ / domain))
        list_folder(domain + "/" + split + "/", domain, split);
    }
  } else {
    list_folder("", params.domain, params.split);
  }
  check(!files_.empty(), root_.string(), "no file of points found: expected ",
        params.domain.empty() ? "<domain>/<split>/" : "", "<name>", join(point_file_extensions()));
  info_.class_names = params.classes;
  info_.source = params.source.empty() ? root_.filename().string() : params.source;
  info_.synthetic = params.synthetic;
  std::vector<fs::path> files;
  for (const SampleInfo& file : files_) files.push_back(root_ / file.uri);
  info_.hash = hash_of_files(
      root_, files,
      cat(join(params.classes), "/", segment_, "/", params.domain, "/", params.split));
}

void PointFilesDataset::list_folder(const std::string& folder, const std::string& domain,
                                    const std::string& split) {
  for (const auto& name : point_files_in(root_ / folder))
    files_.push_back({folder + name, domain, folder + name, split});
}

Sample PointFilesDataset::get(int64_t index, const Draw& draw) const {
  Sample out{{}, files_.at(index)};
  const fs::path path = root_ / out.info.uri;
  const auto stored = read_point_file(path);
  const auto where = [&](const std::string& name) { return path.string() + ":" + name; };
  const auto with = [&](const std::string& name, auto use) {
    const auto found = stored.find(name);
    if (found != stored.end()) use(found->second);
  };
  auto& tensors = out.tensors;
  tensors["coord"] = to_coord(stored.at("positions"), where("positions"));
  with("colors", [&](const auto& t) { tensors["color"] = color_of(t, path); });
  with("normals", [&](const auto& t) { tensors["normal"] = to_float(t, 3, where("normals")); });
  with("intensity",
       [&](const auto& t) { tensors["intensity"] = to_float(t, 0, where("intensity")); });
  with(segment_, [&](const auto& t) {
    check(!info_.class_names.empty(), where(segment_), "is labelled, but `classes` is empty");
    tensors["segment"] =
        to_labels(t, static_cast<int64_t>(info_.class_names.size()), where(segment_));
  });
  drop_non_finite(out, path.string(), draw.epoch == 0);
  return out;
}

namespace {

Layout::Lines check_point_files(const fs::path& folder, bool flat) {
  PointFilesParams params;
  params.root = folder.string();
  params.segment = "";  // labels need class names, which a folder does not hold
  if (flat) params.domain = folder.filename().string();
  Layout::Lines lines = {
      cat("layout: point_files (ROOT/", flat ? "" : "<domain>/<split>/", "<name>.ply ...)")};
  SampleCounts counts;
  const PointFilesDataset dataset(params);
  for (int64_t i = 0; i < dataset.size(); ++i) counts.add(dataset.get(i, {}));
  counts.write({}, lines);
  counts.write_missing({"color", "normal"}, lines);
  lines.push_back("make shards: " +
                  pack_command("point_files", folder, flat ? ", domain: " + params.domain : ""));
  return lines;
}

/// A file of points directly in some folder `depth` levels below.
bool holds_point_files(const fs::path& folder, int depth) {
  if (depth == 0) return !point_files_in(folder).empty();
  const auto inner = subfolders(folder);
  return std::any_of(inner.begin(), inner.end(),
                     [&](const auto& name) { return holds_point_files(folder / name, depth - 1); });
}

}  // namespace

Layout point_files_layout() {
  const auto found = [](const fs::path& folder) { return holds_point_files(folder, 2); };
  const auto check = [](const fs::path& folder) { return check_point_files(folder, false); };
  return {"point_files", "<domain>/<split>/<name>.ply, .pcd, .xyz", found, check};
}

Layout point_files_flat_layout() {
  const auto found = [](const fs::path& folder) { return holds_point_files(folder, 0); };
  const auto check = [](const fs::path& folder) { return check_point_files(folder, true); };
  return {"point_files", "<name>.ply, .pcd, .xyz", found, check};
}

}  // namespace switchyard
