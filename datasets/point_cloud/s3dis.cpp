#include "datasets/point_cloud/s3dis.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/full.h>

#include "datasets/folder.h"
#include "datasets/point_cloud/arrays.h"
#include "datasets/point_cloud/number_rows.h"
#include "datasets/point_cloud/points.h"
#include "datasets/split_map.h"

namespace switchyard {
namespace fs = std::filesystem;
namespace {

constexpr const char* kObjects = "Annotations";

std::vector<fs::path> objects_of(const fs::path& room) {
  std::vector<fs::path> out;
  for (const auto& name : stems_of(room / kObjects, ".txt"))
    out.push_back(room / kObjects / (name + ".txt"));
  return out;
}

std::string name_of(const fs::path& object) {
  const std::string stem = object.stem().string();
  return stem.substr(0, stem.rfind('_'));
}

std::vector<std::string> areas_of(const fs::path& root) {
  std::vector<std::string> out;
  for (const auto& name : subfolders(root)) {
    if (name.starts_with("Area_")) out.push_back(name);
  }
  return out;
}

}  // namespace

void S3disParams::declare(Fields<S3disParams>& f) {
  f.add("root", &S3disParams::root, "folder of Area_1 ... Area_6");
  f.add("domain", &S3disParams::domain, "name of the data domain");
  f.add("source", &S3disParams::source, "public name of the data, quoted in results");
  f.add("splits", &S3disParams::splits, "{split: [area, ...]}; null: each area is a split");
  f.add("class_map", &S3disParams::class_map,
        "{classes: [..], map: {object's name: class or ignore}}; a class stands for itself");
}

S3disDataset::S3disDataset(const S3disParams& params) : root_(params.root) {
  read_class_map(params.class_map);
  std::string options;
  std::vector<fs::path> files;
  for (const auto& [split, area] : read_split_map(params.splits, "splits", areas_of(root_))) {
    for (const auto& room : subfolders(root_ / area)) {
      if (!fs::is_directory(root_ / area / room / kObjects)) continue;
      const std::string uri = area + "/" + room;
      rooms_.push_back({uri, params.domain, uri, split});
      for (const auto& object : objects_of(root_ / uri)) files.push_back(object);
      options += split + "\n";
    }
  }
  check(!rooms_.empty(), root_.string(), "no room found: expected Area_N/ROOM/Annotations/*.txt");
  for (const auto& object : files) label_of(object);
  for (const auto& [name, label] : label_) options += cat(name, ":", label, "\n");
  info_.source = params.source;
  info_.hash = hash_of_files(root_, files, params.domain + "\n" + options);
}

void S3disDataset::read_class_map(const ConfigNode& node) {
  check(node.find("classes") != nullptr, "class_map",
        "expected {classes: [..], map: {..}}; valid: class_map=s3dis13");
  for (const ConfigNode& name : node.find("classes")->as_list("class_map.classes")) {
    const bool is_new =
        label_.emplace(name.as_string("class_map.classes"), info_.class_names.size()).second;
    check(is_new, "class_map.classes", "class is named twice: got '", name.as_string(), "'");
    info_.class_names.push_back(name.as_string());
  }
  const ConfigNode* map = node.find("map");
  if (!map || map->is_null()) return;
  for (const auto& [name, target] : map->as_map("class_map.map")) {
    const std::string& wanted = target.as_string("class_map.map." + name);
    if (wanted != "ignore") check_name("class_map.map." + name, "class", wanted, info_.class_names);
    label_[name] = wanted == "ignore" ? -1 : label_.at(wanted);
  }
}

int64_t S3disDataset::label_of(const fs::path& object) const {
  const auto found = label_.find(name_of(object));
  if (found != label_.end()) return found->second;
  std::vector<std::string> names;
  for (const auto& [name, label] : label_) names.push_back(name);
  fail(object.string(), "object is of no class: got '", name_of(object), "'; valid: ", join(names));
}

Sample S3disDataset::get(int64_t index, const Draw& draw) const {
  Sample out{{}, rooms_.at(index)};
  const fs::path room = root_ / out.info.uri;
  std::vector<at::Tensor> coord, color, segment, instance;
  for (const auto& object : objects_of(room)) {
    const at::Tensor rows_N6 = read_number_rows(object, 6, /*repair=*/true);
    const int64_t points = rows_N6.size(0), next = static_cast<int64_t>(instance.size());
    coord.push_back(to_coord(rows_N6.slice(1, 0, 3), object.string()));
    color.push_back(to_color(rows_N6.slice(1, 3, 6), object.string()));
    segment.push_back(at::full({points}, label_of(object), at::kLong));
    instance.push_back(at::full({points}, next, at::kLong));
  }
  check(!coord.empty(), (room / kObjects).string(), "holds no object: expected NAME_i.txt");
  out.tensors = {{"coord", at::cat(coord)},
                 {"color", at::cat(color)},
                 {"segment", at::cat(segment)},
                 {"instance", at::cat(instance)}};
  drop_non_finite(out, room.string(), draw.epoch == 0);
  return out;
}

namespace {

/// Every object's name is a class of its own, so that a check says which names there are.
ConfigNode classes_found(const fs::path& folder) {
  std::map<std::string, int> names;
  for (const auto& area : areas_of(folder)) {
    for (const auto& room : subfolders(folder / area)) {
      if (!fs::is_directory(folder / area / room / kObjects)) continue;
      for (const auto& object : objects_of(folder / area / room)) ++names[name_of(object)];
    }
  }
  ConfigNode::List classes;
  for (const auto& [name, count] : names) classes.emplace_back(name);
  return ConfigNode(ConfigNode::Map{{"classes", ConfigNode(std::move(classes))}});
}

Layout::Lines check_s3dis(const fs::path& folder) {
  S3disParams params;
  params.root = folder.string();
  params.class_map = classes_found(folder);
  Layout::Lines lines = {"layout: s3dis (ROOT/Area_N/ROOM/Annotations/NAME_i.txt)"};
  add_samples(S3disDataset(params), lines);
  for (int area = 1; area <= 6; ++area) {
    const std::string name = cat("Area_", area);
    if (!fs::is_directory(folder / name)) lines.push_back("missing: " + name);
  }
  lines.push_back("missing: normal (the release has none)");
  lines.push_back(
      "make shards: switchyard pack " + folder.string() +
      ".shards dataset=point_cloud/s3dis +class_map=s3dis13 data.root=" + folder.string());
  return lines;
}

}  // namespace

Layout s3dis_layout() {
  const auto found = [](const fs::path& folder) { return holds_below(folder, 2, kObjects); };
  return {"s3dis", "Area_N/ROOM/Annotations/NAME_i.txt", found, check_s3dis};
}

}  // namespace switchyard
