// SemanticKITTI and nuScenes-lidarseg as released.

#include <cmath>

#include "core/config/yaml.h"
#include "datasets/check.h"
#include "datasets/pack.h"
#include "datasets/point_cloud/nuscenes.h"
#include "datasets/point_cloud/semantic_kitti.h"
#include "datasets/shards.h"
#include "tests/datasets/point_cloud/layouts/driving.h"
#include "tests/datasets/support.h"

using namespace switchyard;
using namespace switchyard::test;
namespace fs = std::filesystem;

namespace {

ConfigNode shipped_map(const std::string& name) {
  return *load_yaml(source_dir() / "configs/class_map" / (name + ".yaml")).find(name);
}

SemanticKittiParams kitti(const fs::path& root, const std::string& map = "semantic_kitti19") {
  SemanticKittiParams params;
  params.root = root.string();
  params.class_map = shipped_map(map);
  return params;
}

NuscenesParams nuscenes(const fs::path& root) {
  NuscenesParams params;
  params.root = root.string();
  params.class_map = shipped_map("nuscenes16");
  return params;
}

bool says(const std::string& text, const std::string& part) {
  INFO(text);
  return text.find(part) != std::string::npos;
}

std::string kitti_error(const fs::path& root) {
  return error_of([&] { SemanticKittiDataset(kitti(root)).get(0, {}); });
}
std::string nuscenes_error(const fs::path& root) {
  return error_of([&] { NuscenesDataset(nuscenes(root)).get(0, {}); });
}

at::Tensor longs(const std::vector<int64_t>& values) { return at::tensor(values, at::kLong); }

const std::vector<float> kTwo = {1, 2, 3, .5f, 4, 5, 6, .25f};

}  // namespace

TEST_CASE("semantic_kitti: sequences, moving classes and instances", "[datasets][semantic_kitti]") {
  TempDir folder;
  write_kitti_scan(folder.path(), "00", "000001", kTwo, {252 | (7u << 16), 40});
  write_kitti_scan(folder.path(), "08", "000000", {7, 8, 9, 1}, {0});
  write_kitti_scan(folder.path(), "11", "000000", {7, 8, 9, 1}, {});
  auto params = kitti(folder.path());
  params.splits = parse_yaml("{train: ['00'], val: ['08'], test: ['11']}", "test");
  const SemanticKittiDataset dataset(params);
  REQUIRE(dataset.size() == 3);
  const Sample first = dataset.get(0, {});
  CHECK(first.info.uri == "00/000001");
  CHECK(first.info.group == "00");
  CHECK(first.info.split == "train");
  CHECK(first.tensors.at("segment").equal(longs({0, 8})));  // a moving car is a car
  CHECK(first.tensors.at("instance").equal(longs({7, 0})));
  CHECK(first.tensors.at("coord").equal(at::tensor({1.f, 2.f, 3.f, 4.f, 5.f, 6.f}).view({2, 3})));
  CHECK(first.tensors.at("intensity").equal(at::tensor({.5f, .25f})));
  CHECK(dataset.get(1, {}).tensors.at("segment").equal(longs({-1})));
  CHECK(dataset.get(2, {}).tensors.count("segment") == 0);
  params.class_map = shipped_map("semantic_kitti25");
  CHECK(SemanticKittiDataset(params).get(0, {}).tensors.at("segment").equal(longs({19, 8})));
  params = kitti(folder.path());
  params.splits = parse_yaml("{train: ['00'], val: ['08']}", "test");
  const SemanticKittiDataset labelled(params);
  pack(labelled, folder / "pack", {1 << 20, true});
  CHECK(same_samples(labelled, ShardDataset(folder / "pack")));
}

TEST_CASE("semantic_kitti: the API's label file gives the same classes as the shipped map",
          "[datasets][semantic_kitti]") {
  TempDir folder;
  write_kitti_scan(folder.path(), "00", "0", kTwo, {252, 40});
  write_text(folder / "kitti.yaml",
             "labels: {0: unlabeled, 10: car, 40: road, 252: moving-car}\n"
             "learning_map: {0: 0, 10: 1, 252: 1, 40: 2}\n"
             "learning_map_inv: {0: 0, 1: 10, 2: 40}\n");
  auto params = kitti(folder.path());
  params.class_map = ConfigNode();
  params.label_map = (folder / "kitti.yaml").string();
  const SemanticKittiDataset dataset(params);
  CHECK(dataset.info().class_names == std::vector<std::string>{"car", "road"});
  CHECK(dataset.get(0, {}).tensors.at("segment").equal(longs({0, 1})));
  params.class_map = shipped_map("semantic_kitti19");
  CHECK(says(error_of([&] { SemanticKittiDataset{params}; }), "got both"));
  write_text(folder / "kitti.yaml", "labels: {0: x}\n");
  params.class_map = ConfigNode();
  CHECK(says(error_of([&] { SemanticKittiDataset{params}; }), "learning_map"));
}

TEST_CASE("semantic_kitti: bad input is named", "[datasets][semantic_kitti]") {
  TempDir folder;
  CHECK(says(kitti_error(folder.path()), "no such folder"));
  write_kitti_scan(folder.path(), "00", "0", kTwo, {10});
  CHECK(says(kitti_error(folder.path()), "wrong number of labels"));
  write_kitti_scan(folder.path(), "00", "0", kTwo, {10, 777});
  CHECK(says(kitti_error(folder.path()), "777"));
  write_kitti_scan(folder.path(), "00", "0", {1, 2, 3}, {10});
  CHECK(says(kitti_error(folder.path()), "multiple of 16"));
  write_kitti_scan(folder.path(), "00", "0", {NAN, 2, 3, 0, 2147483648.f, 1, 1, 0}, {10, 10});
  CHECK(SemanticKittiDataset(kitti(folder.path())).get(0, {}).tensors.at("coord").size(0) == 1);
  write_kitti_scan(folder.path(), "00", "0", {1, 2, 3, 0}, {10});
  CHECK(SemanticKittiDataset(kitti(folder.path())).get(0, {}).tensors.at("coord").size(0) == 1);
  fs::remove(folder / "sequences/00/labels/0.label");
  CHECK(says(kitti_error(folder.path()), "is missing"));
  fs::remove_all(folder / "sequences/00/labels");
  write_kitti_scan(folder.path(), "00", "0", {}, {});
  CHECK(SemanticKittiDataset(kitti(folder.path())).get(0, {}).tensors.at("coord").size(0) == 0);
  auto params = kitti(folder.path());
  params.splits = parse_yaml("{train: ['../00']}", "test");
  CHECK(says(error_of([&] { SemanticKittiDataset{params}; }), "below the root"));
}

TEST_CASE("nuscenes: lists, scenes and labels", "[datasets][nuscenes]") {
  TempDir folder;
  write_nuscenes_scan(folder.path(), "a", {1, 2, 3, 255, 0, 4, 5, 6, 51, 1}, {17, 0});
  write_nuscenes_scan(folder / "raw", "b", {7, 8, 9, 0, 2}, {});
  write_text(folder / "train.json", "[" + nuscenes_entry("a", true, "scene-1") + "]");
  write_text(folder / "val.json", "[" + nuscenes_entry("b", false) + "]");
  auto params = nuscenes(folder.path());
  params.info = parse_yaml("{train: train.json, val: val.json}", "test");
  const NuscenesDataset dataset(params);
  REQUIRE(dataset.size() == 2);
  const Sample a = dataset.get(0, {}), b = dataset.get(1, {});
  CHECK(a.info.group == "scene-1");
  CHECK(a.info.split == "train");
  CHECK(a.tensors.at("segment").equal(longs({3, -1})));
  CHECK(a.tensors.at("intensity").equal(at::tensor({1.f, .2f})));
  CHECK(a.tensors.at("coord").equal(at::tensor({1.f, 2.f, 3.f, 4.f, 5.f, 6.f}).view({2, 3})));
  CHECK(b.info.group == b.info.uri);
  CHECK(b.tensors.count("segment") == 0);
}

TEST_CASE("nuscenes: bad input is named, pickles are not read", "[datasets][nuscenes]") {
  TempDir folder;
  write_nuscenes_scan(folder.path(), "a", {1, 2, 3, 4, 0}, {17, 17});
  const auto with_list = [&](const std::string& text) {
    write_text(folder / "train.json", text);
    return nuscenes_error(folder.path());
  };
  CHECK(says(nuscenes_error(folder.path()), "no scan found"));
  CHECK(says(with_list("[" + nuscenes_entry("a", true) + "]"), "wrong number of labels"));
  write_nuscenes_scan(folder.path(), "a", {1, 2, 3, 4}, {17});
  CHECK(says(with_list("[" + nuscenes_entry("a", true) + "]"), "multiple of 20"));
  write_nuscenes_scan(folder.path(), "a", {1, 2, 3, 4, 0}, {200});
  CHECK(says(with_list("[" + nuscenes_entry("a", true) + "]"), "200"));
  CHECK(says(with_list("[" + nuscenes_entry("c", false) + "]"), "not there"));
  CHECK(says(with_list(R"([{"lidar_path": "../x.bin"}])"), "below the root"));
  CHECK(says(with_list(R"([{"lidar_path": 3}])"), "expected a text"));
  CHECK(says(with_list(R"([{}])"), "lidar_path is missing"));
  CHECK(says(with_list(R"({"infos": []})"), "expected a list"));
  CHECK_FALSE(with_list("[{").empty());
  auto params = nuscenes(folder.path());
  params.info = parse_yaml("{train: infos.pkl}", "test");
  write_text(folder / "infos.pkl", "\x80\x04.");
  CHECK(says(error_of([&] { NuscenesDataset{params}; }), "python3"));
}

TEST_CASE("datasets check knows the driving sets and what they lack", "[datasets][check]") {
  TempDir folder;
  write_kitti_scan(folder / "k", "00", "0", kTwo, {10, 40});
  write_kitti_scan(folder / "k", "11", "0", kTwo, {});
  const std::string kitti_says = join(check_dataset(folder / "k"), "\n");
  for (const char* part : {"layout: semantic_kitti", "raw label 40: 1",
                           "missing: labels of 1 scans", "+class_map=semantic_kitti19"})
    CHECK(says(kitti_says, part));
  write_nuscenes_scan(folder / "n", "a", {1, 2, 3, 4, 0}, {17});
  CHECK(says(join(check_dataset(folder / "n"), "\n"), "python3 -c"));
  write_text(folder / "n/train.json", "[" + nuscenes_entry("a", true) + "]");
  const std::string nuscenes_says = join(check_dataset(folder / "n"), "\n");
  for (const char* part : {"layout: nuscenes", "raw 17", "+class_map=nuscenes16"})
    CHECK(says(nuscenes_says, part));
}
