#include "datasets/point_cloud/nuscenes.h"

#include <ATen/ops/empty.h>

#include <cstring>

#include "core/io/file.h"
#include "core/io/json.h"
#include "datasets/folder.h"
#include "datasets/point_cloud/bin_label.h"
#include "datasets/point_cloud/points.h"
#include "datasets/split_map.h"

namespace switchyard {
namespace fs = std::filesystem;

const char* const kNuscenesInfo =
    "python3 -c \"import json,pickle,sys; i=pickle.load(open(sys.argv[1],'rb')); "
    "i=i['infos'] if isinstance(i,dict) else i; keys=('lidar_path','gt_segment_path',"
    "'scene_token'); json.dump([{k:str(x[k]) for k in keys if k in x} for x in i],"
    "open(sys.argv[2],'w'))\" INFO.pkl INFO.json";

namespace {

constexpr int64_t kColumns = 5;

/// [N, 5] f32.
at::Tensor read_scan(const fs::path& path) {
  const auto file = MappedFile::open(path);
  const auto bytes = file->bytes();
  const size_t row = kColumns * sizeof(float);
  check(bytes.size() % row == 0, path.string(), "wrong size: got ", bytes.size(),
        " bytes, expected a multiple of ", row, " (x, y, z, intensity, ring)");
  at::Tensor out = at::empty({static_cast<int64_t>(bytes.size() / row), kColumns}, at::kFloat);
  if (!bytes.empty()) std::memcpy(out.data_ptr(), bytes.data(), bytes.size());
  return out;
}

at::Tensor read_segments(const fs::path& path, int64_t points) {
  const auto file = MappedFile::open(path);
  const auto bytes = file->bytes();
  check(bytes.size() == static_cast<size_t>(points), path.string(), "wrong number of labels: got ",
        bytes.size(), " bytes, expected ", points, ", one per point");
  at::Tensor out = at::empty({points}, at::kLong);
  for (int64_t i = 0; i < points; ++i)
    out.data_ptr<int64_t>()[i] = std::to_integer<int64_t>(bytes[static_cast<size_t>(i)]);
  return out;
}

std::string text_or_empty(const Json& entry, const char* key, const std::string& where) {
  const auto found = entry.find(key);
  if (found == entry.end()) return "";
  check(found->is_string(), where, "'", key, "': expected a text, got ", found->type_name());
  return found->get<std::string>();
}

Json read_entries(const fs::path& list) {
  check(list.extension() != ".pkl", list.string(),
        "is a pickle, which is a program and not read; make a JSON list of it where you trust it: ",
        kNuscenesInfo);
  const Json entries = read_json(list);
  check(entries.is_array(), list.string(), "expected a list of scans, got ", entries.type_name());
  return entries;
}

std::vector<std::string> lists_in(const fs::path& root) {
  std::vector<std::string> out;
  for (const auto& name : stems_of(root, ".json")) out.push_back(name + ".json");
  return out;
}

}  // namespace

void NuscenesParams::declare(Fields<NuscenesParams>& f) {
  f.add("root", &NuscenesParams::root, "folder of the lists and of samples/, lidarseg/");
  f.add("domain", &NuscenesParams::domain, "name of the data domain");
  f.add("source", &NuscenesParams::source, "public name of the data, quoted in results");
  f.add("info", &NuscenesParams::info, "{split: [INFO.json, ...]}; null: each list is a split");
  f.add("class_map", &NuscenesParams::class_map, "{classes: [..], map: {raw id: name or ignore}}");
}

NuscenesDataset::NuscenesDataset(const NuscenesParams& params)
    : root_(params.root), class_map_(ClassMap::from_config(params.class_map, "class_map")) {
  check(fs::is_directory(root_), root_.string(), "no such folder");
  for (const auto& [split, list] : read_split_map(params.info, "info", lists_in(root_)))
    read_list(root_ / list, split, params.domain);
  check(!scans_.empty(), root_.string(), "no scan found: expected INFO.json with a list of scans; ",
        "from a pickle: ", kNuscenesInfo);
  std::vector<fs::path> files;
  std::string options = params.domain + "\n" + class_map_.text();
  for (const Scan& scan : scans_) {
    files.push_back(scan.points);
    if (!scan.labels.empty()) files.push_back(scan.labels);
    options += "\n" + scan.info.split + " " + scan.info.group;
  }
  info_.class_names = class_map_.class_names();
  info_.source = params.source;
  info_.hash = hash_of_files(root_, files, options);
}

fs::path NuscenesDataset::below_root(const std::string& name, const std::string& where) const {
  check_inside(name, where);
  for (const fs::path& path : {root_ / name, root_ / "raw" / name})
    if (fs::is_regular_file(path)) return path;
  fail(where, "names a file that is not there: got '", name, "', looked in ", root_.string(),
       " and its folder raw");
}

void NuscenesDataset::read_list(const fs::path& list, const std::string& split,
                                const std::string& domain) {
  const Json entries = read_entries(list);
  for (size_t i = 0; i < entries.size(); ++i) {
    const std::string where = cat(list.string(), ": scan ", i);
    check(entries[i].is_object(), where, "expected {lidar_path, ...}, got ",
          entries[i].type_name());
    const std::string points = text_or_empty(entries[i], "lidar_path", where),
                      labels = text_or_empty(entries[i], "gt_segment_path", where),
                      scene = text_or_empty(entries[i], "scene_token", where);
    check(!points.empty(), where, "lidar_path is missing");
    Scan scan{
        {points, domain, scene.empty() ? points : scene, split}, below_root(points, where), {}};
    if (!labels.empty()) scan.labels = below_root(labels, where);
    scans_.push_back(std::move(scan));
  }
}

Sample NuscenesDataset::get(int64_t index, const Draw& draw) const {
  const Scan& scan = scans_.at(index);
  Sample out{{}, scan.info};
  const at::Tensor rows_N5 = read_scan(scan.points);
  add_sensor_rows(out, rows_N5, 255);
  if (!scan.labels.empty()) {
    const at::Tensor raw = read_segments(scan.labels, rows_N5.size(0));
    out.tensors["segment"] = class_map_.apply(raw, scan.labels.string());
  }
  drop_non_finite(out, scan.points.string(), draw.epoch == 0);
  return out;
}

namespace {

/// Every raw id is a class of its own, so that a check says which ids there are.
ConfigNode raw_classes() {
  ConfigNode::List classes;
  ConfigNode out;
  for (int id = 0; id < 256; ++id) {
    classes.push_back(ConfigNode(cat("raw ", id)));
    out.child("map").child(std::to_string(id)) = ConfigNode(cat("raw ", id));
  }
  out.child("classes") = ConfigNode(std::move(classes));
  return out;
}

bool has_pickles(const fs::path& folder) { return !stems_of(folder, ".pkl").empty(); }

Layout::Lines check_nuscenes(const fs::path& folder) {
  Layout::Lines lines = {
      "layout: nuscenes (ROOT/INFO.json, samples/LIDAR_TOP/*.pcd.bin, lidarseg/)"};
  if (lists_in(folder).empty()) {
    lines.push_back(cat("missing: INFO.json; make it: ", kNuscenesInfo));
    return lines;
  }
  NuscenesParams params;
  params.root = folder.string();
  params.class_map = raw_classes();
  const NuscenesDataset dataset(params);
  SampleCounts counts;
  for (int64_t i = 0; i < dataset.size(); ++i) counts.add(dataset.get(i, {}));
  counts.write(dataset.info().class_names, lines);
  counts.write_missing({"segment"}, lines);
  lines.push_back(
      "make shards: switchyard pack " + folder.string() +
      ".shards dataset=point_cloud/nuscenes +class_map=nuscenes16 data.root=" + folder.string());
  return lines;
}

}  // namespace

Layout nuscenes_layout() {
  const auto found = [](const fs::path& folder) {
    const bool scans = fs::is_directory(folder / "samples" / "LIDAR_TOP") ||
                       fs::is_directory(folder / "raw" / "samples" / "LIDAR_TOP");
    return scans || has_pickles(folder);
  };
  return {"nuscenes", "INFO.json and samples/LIDAR_TOP/*.pcd.bin", found, check_nuscenes};
}

}  // namespace switchyard
