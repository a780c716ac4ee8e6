#include "datasets/point_cloud/pointcept.h"

#include <ATen/TensorOperators.h>

#include <algorithm>

#include "core/io/json.h"
#include "core/io/npy.h"
#include "core/io/torch_file.h"
#include "datasets/folder.h"
#include "datasets/point_cloud/arrays.h"
#include "datasets/point_cloud/points.h"
#include "datasets/split_map.h"

namespace switchyard {
namespace fs = std::filesystem;
namespace {

using Arrays = std::map<std::string, at::Tensor>;

/// Today's name of an array: Pointcept renamed its labels when it left .pth.
std::string current_name(const std::string& stored) {
  if (stored.starts_with("semantic_gt")) return "segment" + stored.substr(11);
  return stored == "instance_gt" ? "instance" : stored;
}

fs::path torch_file_of(const fs::path& scene) { return fs::path(scene).concat(".pth"); }

/// The files that hold a scene, sorted.
std::vector<fs::path> files_of(const fs::path& scene) {
  if (fs::exists(torch_file_of(scene))) return {torch_file_of(scene)};
  std::vector<fs::path> out;
  for (const auto& name : stems_of(scene, ".npy")) out.push_back(scene / (name + ".npy"));
  return out;
}

Arrays read_arrays(const fs::path& scene, const std::vector<std::string>& wanted) {
  Arrays out;
  if (fs::exists(torch_file_of(scene))) {
    for (const auto& [name, tensor] : read_torch_arrays(torch_file_of(scene)))
      out.emplace(current_name(name), tensor);
    return out;
  }
  for (const auto& name : wanted) {
    const fs::path path = scene / (name + ".npy");
    if (fs::exists(path)) out.emplace(name, read_npy(path));
  }
  return out;
}

at::Tensor to_intensity(const at::Tensor& stored, const std::string& where) {
  const bool column = stored.dim() == 2 && stored.size(1) == 1;
  const at::Tensor flat_N = column ? stored.squeeze(1) : stored;
  check_array(flat_N, 0, at::kFloat, where);
  return flat_N.to(at::kFloat).contiguous();
}

at::Tensor to_normal(const at::Tensor& stored, const std::string& where) {
  check_array(stored, 3, at::kFloat, where);
  return stored.to(at::kFloat).contiguous();
}

}  // namespace

void PointceptParams::declare(Fields<PointceptParams>& f) {
  f.add("root", &PointceptParams::root, "folder of the splits");
  f.add("domain", &PointceptParams::domain, "name of the data domain; empty: the folder's name");
  f.add("source", &PointceptParams::source, "public name of the data, quoted in results");
  f.add("segment", &PointceptParams::segment, "array that holds the labels, as segment20");
  f.add("splits", &PointceptParams::splits,
        "{split: [sub-folder or JSON list, ...]}; null: each sub-folder is a split");
  f.add("classes", &PointceptParams::classes, "class names; the index is the label");
  f.add("synthetic", &PointceptParams::synthetic, "simulated data: tables then say so");
}

PointceptDataset::PointceptDataset(const PointceptParams& params)
    : root_(params.root), params_(params) {
  for (const auto& [split, source] : read_split_map(params.splits, "splits", subfolders(root_)))
    list_split(split, source);
  check(!scenes_.empty(), root_.string(),
        "no scene found: expected SPLIT/SCENE/coord.npy or SPLIT/SCENE.pth");
  info_.class_names = params.classes;
  info_.source = params.source.empty() ? root_.filename().string() : params.source;
  info_.synthetic = params.synthetic;
  std::vector<fs::path> files;
  std::string splits;
  for (const SampleInfo& scene : scenes_) {
    for (const auto& file : files_of(root_ / scene.uri)) files.push_back(file);
    splits += scene.split + "\n";
  }
  info_.hash = hash_of_files(
      root_, files,
      cat(join(params.classes), "/", params.segment, "/", params.domain, "\n", splits));
}

void PointceptDataset::list_split(const std::string& split, const std::string& source) {
  const fs::path path = root_ / source;
  if (path.extension() == ".json") {
    const Json list = read_json(path);
    check(list.is_array(), path.string(), "expected a list of scenes: got ", list.type_name());
    for (const Json& name : list) {
      check(name.is_string(), path.string(), "expected names of scenes: got ", name.dump());
      check_inside(name.get<std::string>(), path.string());
      add_scene(name.get<std::string>(), split, path.string());
    }
    return;
  }
  std::vector<std::string> names = subfolders(path);
  for (const auto& name : stems_of(path, ".pth")) names.push_back(name);
  std::sort(names.begin(), names.end());
  for (const auto& name : names) {
    const fs::path scene = path / name;
    if (fs::exists(scene / "coord.npy") || fs::exists(torch_file_of(scene)))
      add_scene(source + "/" + name, split, path.string());
  }
}

void PointceptDataset::add_scene(const std::string& listed, const std::string& split,
                                 const std::string& where) {
  const std::string uri = listed.ends_with(".pth") ? listed.substr(0, listed.size() - 4) : listed;
  const bool folder = fs::exists(root_ / uri / "coord.npy");
  const bool file = fs::exists(torch_file_of(root_ / uri));
  check(folder || file, where, "names a scene that is not there: got '", listed, "', expected ",
        uri, "/coord.npy or ", uri, ".pth below ", root_.string());
  check(!(folder && file), where, "scene is there twice: got ", uri, "/coord.npy and ", uri,
        ".pth; valid: one of them");
  const std::string domain = params_.domain.empty() ? root_.filename().string() : params_.domain;
  scenes_.push_back({uri, domain, uri, split});
}

Sample PointceptDataset::raw(int64_t index, bool warn) const {
  Sample out{{}, scenes_.at(index)};
  const fs::path scene = root_ / out.info.uri;
  const auto arrays =
      read_arrays(scene, {"coord", "color", "normal", "strength", "instance", params_.segment});
  const auto add = [&](const std::string& stored, const char* key, auto convert) {
    const auto found = arrays.find(stored);
    if (found == arrays.end()) return;
    const std::string where = scene.string() + ":" + stored;
    at::Tensor tensor = convert(found->second, where);
    const int64_t points = out.tensors.empty() ? tensor.size(0) : out.tensors["coord"].size(0);
    check(tensor.size(0) == points, where, "wrong number of points: got ", tensor.size(0),
          ", expected ", points, " as in coord");
    out.tensors.emplace(key, std::move(tensor));
  };
  check(arrays.count("coord") > 0, scene.string(), "holds no coord");
  add("coord", "coord", to_coord);
  add("color", "color", to_color);
  add("normal", "normal", to_normal);
  add("strength", "intensity", to_intensity);
  add("instance", "instance", to_ids);
  add(params_.segment, "segment", to_ids);
  drop_non_finite(out, scene.string(), warn);
  return out;
}

Sample PointceptDataset::get(int64_t index, const Draw& draw) const {
  Sample out = raw(index, draw.epoch == 0);
  const auto segment = out.tensors.find("segment");
  if (segment == out.tensors.end()) return out;
  const std::string where = (root_ / out.info.uri).string() + ":" + params_.segment;
  check(!params_.classes.empty(), where, "is labelled, but the parameter `classes` is empty");
  segment->second = to_labels(segment->second, static_cast<int64_t>(params_.classes.size()), where);
  return out;
}

namespace {

/// Some SPLIT/SCENE.pth.
bool holds_torch_scenes(const fs::path& folder) {
  const auto splits = subfolders(folder);
  return std::any_of(splits.begin(), splits.end(),
                     [&](const auto& split) { return !stems_of(folder / split, ".pth").empty(); });
}

/// The array of labels that the first scene has, of those that Pointcept's preprocessing names.
std::string find_segment(const fs::path& scene) {
  const auto arrays = read_arrays(scene, {"segment", "segment20", "segment200"});
  for (const char* name : {"segment", "segment20", "segment200"}) {
    if (arrays.count(name)) return name;
  }
  return "segment";
}

Layout::Lines check_pointcept(const fs::path& folder) {
  PointceptParams params;
  params.root = folder.string();
  params.segment = find_segment(folder / PointceptDataset(params).sample_info(0).uri);
  const PointceptDataset dataset(params);
  Layout::Lines lines = {"layout: pointcept (ROOT/SPLIT/SCENE/coord.npy or ROOT/SPLIT/SCENE.pth)"};
  SampleCounts counts;
  for (int64_t i = 0; i < dataset.size(); ++i) counts.add(dataset.raw(i, true));
  counts.write({}, lines);
  counts.write_missing({"color", "normal", "segment"}, lines);
  std::string options = ", segment: " + params.segment;
  if (counts.classes() > 0) options += cat(", classes: [", counts.classes(), " NAMES]");
  lines.push_back("make shards: " + pack_command("pointcept", folder, options));
  return lines;
}

}  // namespace

Layout pointcept_layout() {
  const auto found = [](const fs::path& folder) {
    return holds_below(folder, 2, "coord.npy") || holds_torch_scenes(folder);
  };
  return {"pointcept", "SPLIT/SCENE/coord.npy or SPLIT/SCENE.pth", found, check_pointcept};
}

}  // namespace switchyard
