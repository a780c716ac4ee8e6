#include "datasets/point_cloud/scannet.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/linalg_cross.h>
#include <ATen/ops/zeros.h>

#include <algorithm>

#include "core/base/log.h"
#include "core/io/file.h"
#include "datasets/folder.h"
#include "datasets/point_cloud/arrays.h"
#include "datasets/point_cloud/point_file.h"
#include "datasets/point_cloud/points.h"
#include "datasets/point_cloud/scannet_labels.h"
#include "datasets/split_map.h"

namespace switchyard {
namespace fs = std::filesystem;
namespace {

constexpr const char* kTable = "scannetv2-labels.combined.tsv";
constexpr const char* kFolders[] = {"scans", "scans_test"};
constexpr const char* kMesh = "_vh_clean_2.ply";
constexpr const char* kSegs = "_vh_clean_2.0.010000.segs.json";
constexpr const char* kGroups = ".aggregation.json";

/// SCENE/SCENE<suffix>
fs::path file_of(const fs::path& scene, const char* suffix) {
  return scene / (scene.filename().string() + suffix);
}

bool is_labelled(const fs::path& scene) {
  const bool segs = fs::exists(file_of(scene, kSegs)), groups = fs::exists(file_of(scene, kGroups));
  check(segs == groups, file_of(scene, segs ? kGroups : kSegs).string(),
        "is missing, but the other label file of the scene is there");
  return segs;
}

std::vector<std::string> folders_of(const fs::path& root) {
  std::vector<std::string> out;
  for (const char* name : kFolders) {
    if (fs::is_directory(root / name)) out.push_back(name);
  }
  return out;
}

/// ROOT/scans/NAME or ROOT/scans_test/NAME below ROOT.
std::string find_scene(const fs::path& root, const std::string& name, const std::string& where) {
  for (const char* folder : kFolders) {
    if (fs::exists(file_of(root / folder / name, kMesh))) return std::string(folder) + "/" + name;
  }
  fail(where, "names a scene that is not there: got '", name, "', expected scans/", name, "/", name,
       kMesh, " below ", root.string());
}

/// Per vertex the sum of half the cross products of its faces' edges, scaled to length 1.
at::Tensor vertex_normals(const MeshArrays& mesh) {
  const at::Tensor coord = mesh.coord_V3.to(at::kDouble);
  const auto corner = [&](int64_t c) { return coord.index_select(0, mesh.face_F3.select(1, c)); };
  const at::Tensor first = corner(0);
  const at::Tensor area_F3 = 0.5 * at::linalg_cross(corner(1) - first, corner(2) - first);
  at::Tensor normal = at::zeros_like(coord);
  for (int64_t c = 0; c < 3; ++c) normal.index_add_(0, mesh.face_F3.select(1, c), area_F3);
  return (normal / (normal.norm(2, 1, true) + 1e-8)).to(at::kFloat);
}

}  // namespace

void ScannetParams::declare(Fields<ScannetParams>& f) {
  f.add("root", &ScannetParams::root, "folder of scans, scans_test and the tsv of labels");
  f.add("domain", &ScannetParams::domain, "name of the data domain");
  f.add("source", &ScannetParams::source, "public name of the data, quoted in results");
  f.add("column", &ScannetParams::column, "column of the tsv that holds the raw ids");
  f.add("splits", &ScannetParams::splits,
        "{split: [scans or scans_test or a list of scenes, one a line, ...]}; null: each folder");
  f.add("class_map", &ScannetParams::class_map, "{classes: [..], map: {raw id: name or ignore}}");
}

ScannetDataset::ScannetDataset(const ScannetParams& params) : root_(params.root) {
  for (const auto& [split, source] : read_split_map(params.splits, "splits", folders_of(root_)))
    list_split(split, source, params.domain);
  check(!scenes_.empty(), root_.string(), "no scene found: expected scans/SCENE/SCENE", kMesh);
  std::vector<fs::path> files;
  std::string options = params.domain + "/" + params.column;
  bool labelled = false;
  for (const SampleInfo& scene : scenes_) {
    files.push_back(file_of(root_ / scene.uri, kMesh));
    options += "\n" + scene.split;
    if (!is_labelled(root_ / scene.uri)) continue;
    labelled = true;
    for (const char* suffix : {kSegs, kGroups}) files.push_back(file_of(root_ / scene.uri, suffix));
  }
  if (labelled) {
    check(!params.class_map.is_null(), "class_map",
          "scenes are labelled, but there is no class map; valid: class_map=scannet20");
    class_map_ = ClassMap::from_config(params.class_map, "class_map");
    info_.class_names = class_map_->class_names();
    id_of_ = read_label_table(root_ / kTable, params.column);
    files.push_back(root_ / kTable);
    options += "\n" + class_map_->text();
  }
  info_.source = params.source;
  info_.hash = hash_of_files(root_, files, options);
}

void ScannetDataset::list_split(const std::string& split, const std::string& source,
                                const std::string& domain) {
  std::vector<std::string> uris;
  if (fs::path(source).extension() == ".txt") {
    const std::string where = (root_ / source).string();
    for (const auto& line : switchyard::split(read_text(root_ / source), '\n')) {
      const std::string name(trim(line));
      if (name.empty()) continue;
      check_inside(name, where);
      uris.push_back(find_scene(root_, name, where));
    }
  } else {
    for (const auto& name : subfolders(root_ / source)) {
      if (fs::exists(file_of(root_ / source / name, kMesh))) uris.push_back(source + "/" + name);
    }
  }
  for (const auto& uri : uris) {
    const std::string scene = fs::path(uri).filename().string();
    scenes_.push_back({uri, domain, scene.substr(0, scene.find('_')), split});
  }
}

void ScannetDataset::add_labels(const fs::path& scene, bool warn, Sample& sample) const {
  const auto groups = read_seg_groups(file_of(scene, kGroups));
  const at::Tensor group_N =
      group_of_points(file_of(scene, kSegs), groups, sample.tensors.at("coord").size(0));
  at::Tensor raw_N = at::zeros_like(group_N), instance_N = group_N.clone();
  int64_t* raw = raw_N.data_ptr<int64_t>();
  int64_t* instance = instance_N.data_ptr<int64_t>();
  for (int64_t i = 0; i < group_N.numel(); ++i) {
    if (instance[i] < 0) continue;
    const SegGroup& group = groups[static_cast<size_t>(instance[i])];
    const auto id = id_of_.find(group.label);
    raw[i] = id == id_of_.end() ? 0 : id->second;
    instance[i] = group.id;
  }
  for (const SegGroup& group : groups) {
    if (warn && !id_of_.count(group.label))
      log::warn("[", file_of(scene, kGroups).string(), "] label '", group.label, "' is not in ",
                kTable, ": raw id 0");
  }
  sample.tensors["segment"] = class_map_->apply(raw_N, file_of(scene, kGroups).string());
  sample.tensors["instance"] = instance_N;
}

Sample ScannetDataset::get(int64_t index, const Draw& draw) const {
  Sample out{{}, scenes_.at(index)};
  const fs::path scene = root_ / out.info.uri;
  const std::string where = file_of(scene, kMesh).string();
  const MeshArrays mesh = read_mesh_file(file_of(scene, kMesh));
  check(mesh.color_V3.defined(), where, "has no colours");
  out.tensors["coord"] = to_coord(mesh.coord_V3, where);
  out.tensors["color"] = mesh.color_V3;
  out.tensors["normal"] = vertex_normals(mesh);
  if (is_labelled(scene)) add_labels(scene, draw.epoch == 0, out);
  drop_non_finite(out, where, draw.epoch == 0);
  return out;
}

namespace {

/// One class for every id of the tsv, so that a check says which ids there are.
ConfigNode classes_of(const fs::path& table, const std::string& column) {
  std::map<int64_t, std::string> names = {{0, "id 0"}};
  for (const auto& [category, id] : read_label_table(table, column))
    names.emplace(id, cat("id ", id));
  ConfigNode::List classes;
  ConfigNode::Map map;
  for (const auto& [id, name] : names) {
    classes.emplace_back(name);
    map.emplace_back(to_text(id), ConfigNode(name));
  }
  return ConfigNode(ConfigNode::Map{{"classes", ConfigNode(std::move(classes))},
                                    {"map", ConfigNode(std::move(map))}});
}

Layout::Lines check_scannet(const fs::path& folder) {
  ScannetParams params;
  params.root = folder.string();
  Layout::Lines lines = {cat("layout: scannet (ROOT/scans/SCENE/SCENE", kMesh, ")")};
  const bool table = fs::exists(folder / kTable);
  check(table, (folder / kTable).string(), "is missing: it comes with ScanNet's download script");
  params.class_map = classes_of(folder / kTable, params.column);
  const ScannetDataset dataset(params);
  SampleCounts counts;
  for (int64_t i = 0; i < dataset.size(); ++i) counts.add(dataset.get(i, {}));
  counts.write(dataset.info().class_names, lines);
  counts.write_missing({"segment"}, lines);
  for (const char* list : {"scannetv2_train.txt", "scannetv2_val.txt"}) {
    if (!fs::exists(folder / list))
      lines.push_back(cat("missing: ", list, " (the benchmark's list of scenes)"));
  }
  lines.push_back(
      "make shards: switchyard pack " + folder.string() +
      ".shards dataset=point_cloud/scannet +class_map=scannet20 data.root=" + folder.string());
  return lines;
}

}  // namespace

Layout scannet_layout() {
  const auto found = [](const fs::path& folder) {
    for (const auto& scans : folders_of(folder)) {
      for (const auto& scene : subfolders(folder / scans)) {
        if (fs::exists(file_of(folder / scans / scene, kMesh))) return true;
      }
    }
    return false;
  };
  return {"scannet", "scans/SCENE/SCENE_vh_clean_2.ply", found, check_scannet};
}

}  // namespace switchyard
