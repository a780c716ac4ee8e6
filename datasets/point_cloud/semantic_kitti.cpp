#include "datasets/point_cloud/semantic_kitti.h"


#include <set>

#include "core/config/yaml.h"
#include "datasets/folder.h"
#include "datasets/point_cloud/bin_label.h"
#include "datasets/point_cloud/points.h"
#include "datasets/split_map.h"

namespace switchyard {
namespace fs = std::filesystem;
namespace {

constexpr char kSequences[] = "sequences";

const ConfigNode& required(const ConfigNode& node, const std::string& key,
                           const std::string& where) {
  const ConfigNode* found = node.find(key);
  check(found != nullptr, where, "key is missing: expected '", key,
        "' as in the label files of the semantic-kitti-api");
  return *found;
}

/// The name of raw class `id` in `labels`.
std::string label_name(const ConfigNode& labels, const std::string& id, const std::string& where) {
  const ConfigNode* name = labels.find(id);
  check(name != nullptr, where, "labels: no name for class ", id);
  return name->as_string("labels." + id);
}

ClassMap class_map_of(const SemanticKittiParams& params) {
  check(params.class_map.is_null() != params.label_map.empty(), "dataset.class_map",
        "expected either a class map or label_map, the path of a label file: got ",
        params.class_map.is_null() ? "neither" : "both");
  return ClassMap::from_config(
      params.label_map.empty() ? params.class_map : kitti_class_map(params.label_map), "class_map");
}

}  // namespace

ConfigNode kitti_class_map(const fs::path& path) {
  const std::string where = path.string();
  const ConfigNode file = load_yaml(path);
  const ConfigNode &map = required(file, "learning_map", where),
                   &inverse = required(file, "learning_map_inv", where),
                   &labels = required(file, "labels", where);
  std::map<int64_t, std::string> name_of;  // by learning class
  for (const auto& [learning, raw] : inverse.as_map("learning_map_inv")) {
    const int64_t id = raw.as_int("learning_map_inv." + learning);
    name_of[raw_id(learning, where + ": learning_map_inv")] =
        label_name(labels, std::to_string(id), where);
  }
  ConfigNode out;
  ConfigNode::List classes;
  for (const auto& [learning, name] : name_of)
    if (learning > 0) classes.push_back(ConfigNode(name, {where, 0}));
  out.child("classes") = ConfigNode(std::move(classes));
  for (const auto& [raw, learning] : map.as_map("learning_map")) {
    const int64_t id = learning.as_int("learning_map." + raw);
    check(id == 0 || name_of.count(id) > 0, where, "learning_map: class ", id, " of label ", raw,
          " is not in learning_map_inv");
    out.child("map").child(raw) = ConfigNode(id == 0 ? "ignore" : name_of.at(id), {where, 0});
  }
  return out;
}

void SemanticKittiParams::declare(Fields<SemanticKittiParams>& f) {
  f.add("root", &SemanticKittiParams::root, "folder that holds sequences/");
  f.add("domain", &SemanticKittiParams::domain, "name of the data domain");
  f.add("source", &SemanticKittiParams::source, "public name of the data, quoted in results");
  f.add("splits", &SemanticKittiParams::splits,
        "{split: [sequence, ...]}; null: each sequence is a split");
  f.add("class_map", &SemanticKittiParams::class_map,
        "{classes: [..], map: {raw id: name or ignore}}");
  f.add("label_map", &SemanticKittiParams::label_map,
        "a label file of the semantic-kitti-api instead of class_map");
}

SemanticKittiDataset::SemanticKittiDataset(const SemanticKittiParams& params)
    : root_(params.root), class_map_(class_map_of(params)) {
  const auto present = subfolders(root_ / kSequences);
  for (const auto& [split, sequence] : read_split_map(params.splits, "splits", present))
    list_sequence(split, sequence, params.domain);
  check(!scans_.empty(), root_.string(), "no scan found: expected sequences/NN/velodyne/*.bin");
  std::vector<fs::path> files;
  std::string options = params.domain + "\n" + class_map_.text();
  for (const Scan& scan : scans_) {
    files.push_back(scan.points);
    if (!scan.labels.empty()) files.push_back(scan.labels);
    options += "\n" + scan.info.split;
  }
  info_.class_names = class_map_.class_names();
  info_.source = params.source;
  info_.hash = hash_of_files(root_, files, options);
}

void SemanticKittiDataset::list_sequence(const std::string& split, const std::string& sequence,
                                         const std::string& domain) {
  const fs::path folder = root_ / kSequences / sequence;
  const bool labelled = fs::is_directory(folder / "labels");
  for (const auto& name : stems_of(folder / "velodyne", ".bin")) {
    Scan scan{{sequence + "/" + name, domain, sequence, split},
              folder / "velodyne" / (name + ".bin"),
              {}};
    if (labelled) {
      scan.labels = folder / "labels" / (name + ".label");
      check(fs::exists(scan.labels), scan.labels.string(),
            "is missing, but the sequence is labelled");
    }
    scans_.push_back(std::move(scan));
  }
}

Sample SemanticKittiDataset::get(int64_t index, const Draw& draw) const {
  const Scan& scan = scans_.at(index);
  Sample out{{}, scan.info};
  const at::Tensor points_N4 = read_bin(scan.points);
  add_sensor_rows(out, points_N4);
  if (!scan.labels.empty()) {
    const RawLabels raw = read_label(scan.labels, points_N4.size(0));
    out.tensors["segment"] = class_map_.apply(raw.id, scan.labels.string());
    out.tensors["instance"] = raw.instance;
  }
  drop_non_finite(out, scan.points.string(), draw.epoch == 0);
  return out;
}

namespace {

Layout::Lines check_semantic_kitti(const fs::path& folder) {
  Layout::Lines lines = {
      "layout: semantic_kitti (ROOT/sequences/NN/velodyne/*.bin, labels/*.label)"};
  std::map<int64_t, int64_t> ids;
  int64_t unlabelled = 0;
  for (const auto& sequence : subfolders(folder / kSequences)) {
    const fs::path place = folder / kSequences / sequence;
    const auto names = stems_of(place / "velodyne", ".bin");
    int64_t points = 0;
    for (const auto& name : names) {
      const int64_t count = read_bin(place / "velodyne" / (name + ".bin")).size(0);
      points += count;
      if (!fs::exists(place / "labels" / (name + ".label"))) {
        ++unlabelled;
        continue;
      }
      const at::Tensor raw = read_label(place / "labels" / (name + ".label"), count).id;
      for (int64_t i = 0; i < count; ++i) ++ids[raw.const_data_ptr<int64_t>()[i]];
    }
    lines.push_back(cat("scans of sequence ", sequence, ": ", names.size(), ", points ", points));
  }
  for (const auto& [id, count] : ids) lines.push_back(cat("raw label ", id, ": ", count));
  if (unlabelled > 0) lines.push_back(cat("missing: labels of ", unlabelled, " scans"));
  lines.push_back(
      "make shards: switchyard pack " + folder.string() +
      ".shards dataset=point_cloud/semantic_kitti +class_map=semantic_kitti19 data.root=" +
      folder.string());
  return lines;
}

}  // namespace

Layout semantic_kitti_layout() {
  const auto found = [](const fs::path& folder) {
    return fs::is_directory(folder / kSequences) && holds_below(folder / kSequences, 1, "velodyne");
  };
  return {"semantic_kitti", "sequences/NN/velodyne/*.bin", found, check_semantic_kitti};
}

}  // namespace switchyard
