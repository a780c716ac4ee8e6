#include "datasets/point_cloud/bin_label.h"

#include <cmath>
#include <cstdlib>

#include "core/config/yaml.h"
#include "core/io/file.h"
#include "datasets/check.h"
#include "datasets/pack.h"
#include "datasets/shards.h"
#include "tests/datasets/support.h"
#include "tests/support/fuzz.h"

using namespace switchyard;
using namespace switchyard::test;
namespace fs = std::filesystem;

namespace {

template <class T>
void write_raw(const fs::path& path, const std::vector<T>& values) {
  write_text(path, {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)});
}

ConfigNode text(const std::string& value) { return ConfigNode(value); }

ConfigNode class_map(const std::string& sensor) {
  ConfigNode out;
  out.child(sensor).child("classes") = ConfigNode(ConfigNode::List{text("road"), text("car")});
  ConfigNode& map = out.child(sensor).child("map");
  map.child("7") = text("car");
  map.child("9") = text("road");
  map.child("0") = text("ignore");
  return out;
}

BinLabelParams at_root(const fs::path& root, ConfigNode map = class_map("hdl")) {
  BinLabelParams params;
  params.root = root.string();
  params.class_map = std::move(map);
  return params;
}

/// Four points: near, kept, far, too high. The upper 16 bits of a label are an instance number.
void write_scan(const fs::path& split, const std::string& name) {
  write_raw<float>(split / "velodyne" / (name + ".bin"),
                   {1, 1, 0, .1f, 3, 4, -1, .2f, 30, 45, 0, .3f, 3, 4, 6, .4f});
  write_raw<uint32_t>(split / "labels" / (name + ".label"), {7, 9 | (5 << 16), 0, 7});
}

std::string read_error(const BinLabelParams& params) {
  return error_of([&] { BinLabelDataset(params).get(0, {}); });
}

/// The map inside configs/class_map/NAME.yaml.
ConfigNode shipped_map(const std::string& name) {
  const auto file = load_yaml(source_dir() / "configs/class_map" / (name + ".yaml"));
  return *file.find(name);
}

}  // namespace

TEST_CASE("bin_label reads scans and maps raw ids", "[datasets][bin_label]") {
  TempDir folder;
  write_scan(folder / "hdl/train", "000001");
  write_scan(folder / "hdl/train", "000000");
  write_raw<float>(folder / "ika/val/velodyne/x.bin", {});
  write_raw<float>(folder / "ika/val/velodyne/y.bin", {1, 2, 3, .5f});
  const BinLabelDataset dataset(at_root(folder.path()));
  REQUIRE(dataset.size() == 4);
  const Sample sample = dataset.get(0, {});
  CHECK(sample.info.uri == "hdl/train/000000");
  CHECK(sample.info.domain == "hdl");
  CHECK(sample.info.group == "hdl/train");
  CHECK(sample.tensors.at("segment").equal(at::tensor({1, 0, -1, 1}, at::kLong)));
  CHECK(sample.tensors.at("intensity")[1].item<float>() == .2f);
  CHECK(sample.tensors.at("coord").sizes() == at::IntArrayRef({4, 3}));
  CHECK(sample.tensors.at("origin").abs().sum().item<float>() == 0);
  CHECK(dataset.get(2, {}).tensors.at("coord").size(0) == 0);
  CHECK(dataset.get(3, {}).tensors.count("segment") == 0);
  pack(dataset, folder / "pack");
  CHECK(same_samples(dataset, ShardDataset(folder / "pack")));
  CHECK(check_dataset(folder.path())[1] == "scans of hdl/train: 2, points 8");
}

TEST_CASE("the region of interest is cut and enters the hash", "[datasets][bin_label]") {
  TempDir folder;
  write_scan(folder / "hdl/train", "0");
  auto params = at_root(folder.path());
  const std::string hash = BinLabelDataset(params).info().hash;
  params.roi = {2.5, 50, -4, 6};
  const BinLabelDataset dataset(params);
  CHECK(dataset.get(0, {}).tensors.at("coord").equal(
      at::tensor({3., 4., -1.}, at::kFloat).reshape({1, 3})));
  CHECK(dataset.get(0, {}).tensors.at("segment").item<int64_t>() == 0);
  CHECK(dataset.info().hash != hash);
}

TEST_CASE("bin_label drops NaN points", "[datasets][bin_label]") {
  TempDir folder;
  write_scan(folder / "hdl/train", "0");
  write_raw<float>(folder / "hdl/train/velodyne/0.bin",
                   {NAN, 1, 0, .1f, 3, 4, -1, .2f, 3, 4, 0, INFINITY, 3, 4, 6, .4f});
  const Sample sample = BinLabelDataset(at_root(folder.path())).get(0, {});
  CHECK(sample.tensors.at("segment").equal(at::tensor({0, 1}, at::kLong)));
}

TEST_CASE("damaged scans never do more than throw an Error", "[datasets][bin_label][fuzz]") {
  TempDir folder;
  write_scan(folder / "hdl/train", "0");
  const auto read = [&] { BinLabelDataset(at_root(folder.path())).get(0, {}); };
  CHECK(refusals(folder / "hdl/train/labels/0.label", read, 300) > 100);
  CHECK(refusals(folder / "hdl/train/velodyne/0.bin", read, 300) > 30);
}

TEST_CASE("bin_label names what is wrong", "[datasets][bin_label]") {
  TempDir folder;
  CHECK(holds(read_error(at_root(folder / "none")), "no such folder"));
  CHECK(holds(read_error(at_root(folder.path())), "no scan found"));
  CHECK(holds(error_of([&] { check_dataset(folder.path()); }), "unknown layout"));
  const auto split = folder / "hdl/train";
  write_scan(split, "0");
  CHECK(
      holds(read_error(at_root(folder.path(), {})), "no class map for the labelled sensor 'hdl'"));
  auto params = at_root(folder.path());
  params.sensors = {"hld"};
  CHECK(holds(read_error(params), "hdl"));
  auto two = class_map("hdl");
  two.child("ika") = *class_map("ika").find("ika");
  two.child("ika").child("classes") = ConfigNode(ConfigNode::List{text("car"), text("road")});
  CHECK(holds(read_error(at_root(folder.path(), two)), "same classes"));
  write_raw<uint32_t>(split / "labels/0.label", {7, 8, 8, 11});
  CHECK(holds(read_error(at_root(folder.path())),
              "0.label] label ids missing from the class map: got 8 (2 times), 11 (1 times)"));
  write_raw<uint32_t>(split / "labels/0.label", {7, 9});
  CHECK(holds(read_error(at_root(folder.path())),
              "wrong number of labels: got 8 bytes, expected 16 for 4 points"));
  CHECK(holds(error_of([&] { check_dataset(folder.path()); }), "wrong number of labels"));
  write_text(split / "velodyne/0.bin", "torn");
  CHECK(holds(read_error(at_root(folder.path())), "wrong size: got 4 bytes"));
  fs::remove(split / "labels/0.label");
  CHECK(holds(read_error(at_root(folder.path())), "0.label] is missing"));
}

TEST_CASE("the shipped lidar class maps agree on 6 classes and cover every id",
          "[datasets][class_map]") {
  const auto ika = ClassMap::from_config(shipped_map("lidar6_ika"), "ika");
  const auto kitti = ClassMap::from_config(shipped_map("lidar6_kitti"), "kitti");
  CHECK(ika.class_names() == kitti.class_names());
  CHECK(ika.apply(at::arange(11), "f")
            .equal(at::tensor({0, 1, 2, 3, 4, -1, -1, 5, 5, 5, -1}, at::kLong)));
  CHECK(kitti.apply(at::arange(20), "f")
            .equal(at::tensor({-1, 5, -1, -1, 5, 5, -1, -1, -1, 0, 0, 1, -1, 2, -1, 4, 4, 4, 3, -1},
                              at::kLong)));
}

// Real data: set SWITCHYARD_DATA to the folder that holds pointcloud/lidar.
TEST_CASE("the real lidar scans are read, cropped and packed", "[datasets][bin_label][real]") {
  const char* data = variable_or_warn("SWITCHYARD_DATA");
  if (!data) return;
  ConfigNode maps;
  maps.child("hdl32_nuscenes") = shipped_map("lidar6_ika");
  maps.child("ika_sensor") = shipped_map("lidar6_ika");
  maps.child("hdl64_kitti") = shipped_map("lidar6_kitti");
  auto params = at_root(fs::path(data) / "pointcloud/lidar", maps);
  params.roi = {2.5, 50, -4, 6};
  const BinLabelDataset dataset(params);
  CHECK(dataset.size() == 61);
  TempDir folder;
  pack(dataset, folder / "p", {int64_t{8} << 20, true});
  CHECK(same_samples(dataset, ShardDataset(folder / "p")));
}
