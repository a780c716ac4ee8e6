#include "datasets/point_cloud/bin_label.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros_like.h>

#include <cmath>
#include <cstring>

#include "core/io/file.h"
#include "datasets/folder.h"
#include "datasets/point_cloud/points.h"

namespace switchyard {
namespace fs = std::filesystem;
namespace {

bool is_limited(const RoiParams& roi) {
  return std::isfinite(roi.r_min) || std::isfinite(roi.r_max) || std::isfinite(roi.z_min) ||
         std::isfinite(roi.z_max);
}

void crop(Sample& sample, const RoiParams& roi) {
  const at::Tensor& coord_N3 = sample.tensors.at("coord");
  const at::Tensor z_N = coord_N3.select(1, 2);
  const at::Tensor r_N = coord_N3.slice(1, 0, 2).square().sum(1).sqrt();
  keep_points(sample,
              (r_N > roi.r_min) & (r_N < roi.r_max) & (z_N > roi.z_min) & (z_N < roi.z_max));
}

}  // namespace

void RoiParams::declare(Fields<RoiParams>& f) {
  f.add("r_min", &RoiParams::r_min, "least distance from the sensor's axis, m (exclusive)");
  f.add("r_max", &RoiParams::r_max, "largest distance, m (exclusive)");
  f.add("z_min", &RoiParams::z_min, "least height in the sensor's frame, m (exclusive)");
  f.add("z_max", &RoiParams::z_max, "largest height, m (exclusive)");
}

void BinLabelParams::declare(Fields<BinLabelParams>& f) {
  f.add("root", &BinLabelParams::root,
        "folder with SENSOR/SPLIT/velodyne/*.bin and labels/*.label");
  f.add("source", &BinLabelParams::source, "public name of the data, quoted in results");
  f.add("sensors", &BinLabelParams::sensors, "sensors to read; empty: all");
  f.add("class_map", &BinLabelParams::class_map,
        "sensor: class map ({classes: [..], map: {raw id: name or ignore}})");
  f.node("roi", &BinLabelParams::roi, "region of interest");
}

at::Tensor read_bin(const fs::path& path) {
  constexpr size_t kPointBytes = 16;
  const auto file = MappedFile::open(path);
  const auto bytes = file->bytes();
  check(bytes.size() % kPointBytes == 0, path.string(), "wrong size: got ", bytes.size(),
        " bytes, expected a multiple of ", kPointBytes, " (x, y, z, intensity)");
  at::Tensor out = at::empty({static_cast<int64_t>(bytes.size() / kPointBytes), 4}, at::kFloat);
  if (!bytes.empty()) std::memcpy(out.data_ptr(), bytes.data(), bytes.size());
  return out;
}

void add_sensor_rows(Sample& sample, const at::Tensor& rows, double full) {
  sample.tensors["coord"] = rows.slice(1, 0, 3).contiguous();
  sample.tensors["intensity"] = (rows.select(1, 3) / full).contiguous();
  sample.tensors["origin"] = at::zeros_like(sample.tensors["coord"]);
}

RawLabels read_label(const fs::path& path, int64_t points) {
  const auto file = MappedFile::open(path);
  const auto bytes = file->bytes();
  check(bytes.size() == static_cast<size_t>(points) * 4, path.string(),
        "wrong number of labels: got ", bytes.size(), " bytes, expected ", points * 4, " for ",
        points, " points");
  RawLabels out{at::empty({points}, at::kLong), at::empty({points}, at::kLong)};
  int64_t *id = out.id.data_ptr<int64_t>(), *instance = out.instance.data_ptr<int64_t>();
  for (int64_t i = 0; i < points; ++i) {
    uint32_t value;
    std::memcpy(&value, bytes.data() + 4 * i, 4);
    id[i] = value & 0xffff;
    instance[i] = value >> 16;
  }
  return out;
}

BinLabelDataset::BinLabelDataset(const BinLabelParams& params)
    : root_(params.root), roi_(params.roi) {
  read_class_maps(params.class_map);
  const auto found = subfolders(root_);
  for (const auto& sensor : params.sensors) check_name("sensors", "sensor", sensor, found);
  for (const auto& sensor : params.sensors.empty() ? found : params.sensors) {
    for (const auto& split : subfolders(root_ / sensor)) list_split(sensor, split);
  }
  check(!scans_.empty(), root_.string(), "no scan found: expected SENSOR/SPLIT/velodyne/*.bin");
  info_.source = params.source.empty() ? root_.filename().string() : params.source;
  std::vector<fs::path> files;
  for (const Scan& scan : scans_) {
    files.push_back(scan.points);
    if (!scan.labels.empty()) files.push_back(scan.labels);
  }
  std::string options = write_params(roi_).to_line();
  for (const auto& [sensor, map] : class_maps_) options += "\n" + sensor + ":" + map.text();
  info_.hash = hash_of_files(root_, files, options);
}

void BinLabelDataset::read_class_maps(const ConfigNode& node) {
  if (node.is_null()) return;
  for (const auto& [sensor, map] : node.as_map("class_map")) {
    const auto& added =
        class_maps_.emplace(sensor, ClassMap::from_config(map, "class_map." + sensor))
            .first->second;
    if (info_.class_names.empty()) info_.class_names = added.class_names();
    check(added.class_names() == info_.class_names, "class_map." + sensor,
          "all sensors need the same classes: got ", join(added.class_names()), ", expected ",
          join(info_.class_names));
  }
}

void BinLabelDataset::list_split(const std::string& sensor, const std::string& split) {
  const fs::path folder = root_ / sensor / split;
  if (!fs::is_directory(folder / "velodyne")) return;
  const bool labelled = fs::is_directory(folder / "labels");
  const std::string group = sensor + "/" + split;
  for (const auto& name : stems_of(folder / "velodyne", ".bin")) {
    Scan scan{
        {group + "/" + name, sensor, group, split}, folder / "velodyne" / (name + ".bin"), {}};
    if (labelled) {
      scan.labels = folder / "labels" / (name + ".label");
      check_labelled(scan);
    }
    scans_.push_back(std::move(scan));
  }
}

void BinLabelDataset::check_labelled(const Scan& scan) const {
  check(fs::exists(scan.labels), scan.labels.string(), "is missing, but the split is labelled");
  check(class_maps_.count(scan.info.domain) > 0, "class_map",
        "no class map for the labelled sensor '", scan.info.domain,
        "'; class maps are never guessed: choose one of configs/class_map");
}

Sample BinLabelDataset::get(int64_t index, const Draw& draw) const {
  const Scan& scan = scans_.at(index);
  Sample out{{}, scan.info};
  const at::Tensor points_N4 = read_bin(scan.points);
  add_sensor_rows(out, points_N4);
  if (!scan.labels.empty()) {
    const at::Tensor raw = read_label(scan.labels, points_N4.size(0)).id;
    out.tensors["segment"] = class_maps_.at(scan.info.domain).apply(raw, scan.labels.string());
  }
  drop_non_finite(out, scan.points.string(), draw.epoch == 0);
  if (is_limited(roi_)) crop(out, roi_);
  return out;
}

namespace {

/// Counts points and raw ids of one split. Class maps are a matter of the experiment.
int64_t count_split(const fs::path& split, const std::vector<std::string>& names,
                    std::map<int64_t, int64_t>& ids) {
  int64_t points = 0;
  for (const auto& name : names) {
    const int64_t count = read_bin(split / "velodyne" / (name + ".bin")).size(0);
    points += count;
    if (!fs::exists(split / "labels")) continue;
    const at::Tensor raw = read_label(split / "labels" / (name + ".label"), count).id;
    for (int64_t i = 0; i < count; ++i) ++ids[raw.const_data_ptr<int64_t>()[i]];
  }
  return points;
}

void check_sensor(const fs::path& folder, const std::string& sensor, Layout::Lines& lines) {
  std::map<int64_t, int64_t> ids;
  for (const auto& split : subfolders(folder / sensor)) {
    const fs::path place = folder / sensor / split;
    if (!fs::is_directory(place / "velodyne")) continue;
    const auto names = stems_of(place / "velodyne", ".bin");
    const int64_t points = count_split(place, names, ids);
    lines.push_back(cat("scans of ", sensor, "/", split, ": ", names.size(), ", points ", points));
  }
  for (const auto& [id, count] : ids)
    lines.push_back(cat("raw label ", id, " of ", sensor, ": ", count));
}

}  // namespace

Layout bin_label_layout() {
  const auto found = [](const fs::path& folder) { return holds_below(folder, 2, "velodyne"); };
  const auto check = [](const fs::path& folder) {
    Layout::Lines lines = {
        "layout: bin_label (ROOT/SENSOR/SPLIT/velodyne/*.bin); labelled sensors need class maps"};
    for (const auto& sensor : subfolders(folder)) check_sensor(folder, sensor, lines);
    return lines;
  };
  return {"bin_label", "SENSOR/SPLIT/velodyne/*.bin", found, check};
}

}  // namespace switchyard
