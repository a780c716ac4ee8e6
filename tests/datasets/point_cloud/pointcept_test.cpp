#include "datasets/point_cloud/pointcept.h"

#include <ATen/ops/full.h>

#include "core/io/file.h"
#include "datasets/check.h"
#include "datasets/pack.h"
#include "datasets/shards.h"
#include "tests/datasets/point_cloud/layouts/pointcept.h"

using namespace switchyard;
using namespace switchyard::test;
namespace fs = std::filesystem;

namespace {

PointceptParams at_root(const fs::path& root) {
  PointceptParams params;
  params.root = root.string();
  params.classes = {"wall", "floor", "chair"};
  return params;
}

bool is_scene(const Sample& sample, const Scene& scene) {
  return sample.tensors.size() == 5 && sample.tensors.at("coord").equal(scene.coord) &&
         sample.tensors.at("color").equal(scene.color) &&
         sample.tensors.at("normal").equal(scene.normal) &&
         sample.tensors.at("segment").equal(scene.segment) &&
         sample.tensors.at("instance").equal(scene.instance);
}

std::string read_error(const fs::path& root) {
  return error_of([&] { PointceptDataset(at_root(root)).get(0, {}); });
}

}  // namespace

TEST_CASE("pointcept reads folders and both kinds of .pth alike", "[datasets][pointcept]") {
  TempDir folder;
  const Scene scene = make_scene(300);
  write_pointcept_folder(folder / "train/a", scene);
  write_pointcept_tensors(folder / "train/b.pth", scene);
  write_pointcept_numpy(folder / "val/c.pth", scene);
  const PointceptDataset dataset(at_root(folder.path()));
  REQUIRE(dataset.size() == 3);
  for (int64_t i = 0; i < 3; ++i) CHECK(is_scene(dataset.get(i, {}), scene));
  CHECK(dataset.sample_info(1).uri == "train/b");
  CHECK(dataset.sample_info(2).split == "val");
  CHECK(dataset.sample_info(2).domain == folder.path().filename().string());
  pack(dataset, folder / "pack", {1 << 20, true});
  CHECK(same_samples(dataset, ShardDataset(folder / "pack")));
}

TEST_CASE("pointcept takes splits from folders and JSON lists", "[datasets][pointcept]") {
  TempDir folder;
  write_pointcept_folder(folder / "Area_1/office_1", make_scene(5));
  write_pointcept_folder(folder / "Area_5/office_2", make_scene(1));
  write_pointcept_folder(folder / "Area_6/office_3", make_scene(0));
  write_text(folder / "part.json", R"(["Area_6/office_3", "Area_1/office_1"])");
  auto params = at_root(folder.path());
  params.splits = ConfigNode(
      ConfigNode::Map{{"train", ConfigNode(ConfigNode::List{ConfigNode(std::string("part.json"))})},
                      {"test", ConfigNode(std::string("Area_5"))}});
  params.domain = "s3dis";
  const PointceptDataset dataset(params);
  REQUIRE(dataset.size() == 3);
  CHECK(dataset.sample_info(0).uri == "Area_6/office_3");
  CHECK(dataset.sample_info(0).domain == "s3dis");
  CHECK(dataset.sample_info(1).split == "train");
  CHECK(dataset.sample_info(2).split == "test");
  CHECK(dataset.get(0, {}).tensors.at("coord").size(0) == 0);
  CHECK(is_scene(dataset.get(2, {}), make_scene(1)));
  write_text(folder / "part.json", R"(["Area_6/office_9"])");
  CHECK(holds(error_of([&] { PointceptDataset{params}; }),
              "a scene that is not there: got 'Area_6/office_9'"));
  write_text(folder / "part.json", R"(["../elsewhere"])");
  CHECK(holds(error_of([&] { PointceptDataset{params}; }), "expected a name below the root"));
  write_text(folder / "part.json", R"({"a": 1})");
  CHECK(holds(error_of([&] { PointceptDataset{params}; }), "expected a list of scenes"));
  write_text(folder / "part.json", "[1]");
  CHECK(holds(error_of([&] { PointceptDataset{params}; }), "expected names of scenes: got 1"));
}

TEST_CASE("pointcept names damaged arrays", "[datasets][pointcept]") {
  TempDir folder;
  const fs::path scene = folder / "train/a";
  CHECK(holds(read_error(folder / "none"), "no such folder"));
  CHECK(holds(read_error(folder.path()), "no scene found"));
  write_pointcept_folder(scene, make_scene(3));
  const auto with = [&](const char* name, const at::Tensor& array) {
    write_pointcept_folder(scene, make_scene(3));
    write_npy(scene / (std::string(name) + ".npy"), array);
    return read_error(folder.path());
  };
  CHECK(holds(with("coord", at::zeros({3, 2})), "wrong shape: got [3, 2], expected [N, 3]"));
  CHECK(holds(with("coord", at::zeros({3, 3}, at::kLong)), "wrong type: got Long"));
  CHECK(holds(with("coord", at::full({3, 3}, 2147483648.0, at::kDouble)),
              "coordinates are too large for float32: got 2147483648"));
  CHECK(
      holds(with("coord", at::full({3, 3}, 500000.01, at::kDouble)), "float32 would move points"));
  CHECK(holds(with("color", at::full({3, 3}, 0.5)), "9 colour values are not whole numbers"));
  CHECK(holds(with("color", at::full({3, 3}, 256, at::kInt)), "got 256"));
  CHECK(holds(with("normal", at::zeros({2, 3})), "wrong number of points: got 2, expected 3"));
  CHECK(holds(with("instance", at::zeros({3})), "wrong type: got Float, expected an integer type"));
  CHECK(holds(with("segment", at::full({3}, 3, at::kInt)), "3 labels are no class: got 3 .. 3"));
  CHECK(holds(with("segment", at::zeros({4}, at::kInt)), "wrong number of points: got 4"));
  write_text(scene / "coord.npy", "torn");
  CHECK(holds(read_error(folder.path()), "is not an .npy file"));
  write_pointcept_folder(scene, make_scene(3));
  write_pointcept_tensors(folder / "train/a.pth", make_scene(3));
  CHECK(holds(read_error(folder.path()), "scene is there twice"));
}

TEST_CASE("pointcept names damaged .pth files", "[datasets][pointcept]") {
  TempDir folder;
  const fs::path file = folder / "train/a.pth";
  write_pointcept_numpy(file, make_scene(3));
  fs::resize_file(file, fs::file_size(file) / 2);
  CHECK(holds(read_error(folder.path()), "a.pth"));
  const auto with = [&](const std::string& dict) {
    write_pth(file, py::pickle(dict), {});
    return read_error(folder.path());
  };
  CHECK(
      holds(with(py::dict({{"color", numpy_pickle(at::zeros({2, 3}), "f4")}})), "holds no coord"));
  CHECK(holds(with(py::dict({{"coord", numpy_pickle(at::zeros({2, 3}), "f8")}})),
              "wrong file size: got 24 bytes of data, expected 48"));
  CHECK(holds(with(py::dict({{"coord", numpy_pickle(at::zeros({2, 3}), "O8")}})),
              "unsupported type"));
  CHECK(holds(with(py::dict({{"coord", py::global("os", "system") + py::text("x") + "\x85R"}})),
              "holds more than arrays and plain containers: got global 'os.system'"));
  CHECK(holds(with(py::num(1)), "expected a dict of arrays"));
}

TEST_CASE("pointcept drops NaN points of every array", "[datasets][pointcept]") {
  TempDir folder;
  Scene scene = make_scene(4);
  scene.coord[1][2] = kNaN;
  write_pointcept_folder(folder / "train/a", scene);
  const Sample sample = PointceptDataset(at_root(folder.path())).get(0, {});
  for (const auto& [key, tensor] : sample.tensors) CHECK(tensor.size(0) == 3);
  CHECK(sample.tensors.at("segment").equal(
      scene.segment.index_select(0, at::arange(4).masked_select(at::arange(4) != 1))));
}

TEST_CASE("datasets check tells what a pointcept folder holds and lacks", "[datasets][pointcept]") {
  TempDir folder;
  write_pointcept_folder(folder / "train/a", make_scene(8), "segment20");
  write_pointcept_folder(folder / "val/b", make_scene(4), "segment20");
  fs::remove(folder / "val/b/normal.npy");
  const auto lines = join(check_dataset(folder.path()), "\n");
  CHECK(holds(lines, "layout: pointcept"));
  CHECK(holds(lines, "label -1 (ignored): 3"));
  CHECK(holds(lines, "missing: normal in 1 of 2 samples"));
  CHECK(holds(lines, "segment: segment20, classes: [3 NAMES]}'"));
  CHECK_FALSE(holds(lines, "missing: color"));
}
