#include "datasets/point_cloud/npy_folder.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>

#include <limits>

#include "core/io/file.h"
#include "core/io/npy.h"
#include "datasets/check.h"
#include "datasets/pack.h"
#include "datasets/shards.h"
#include "tests/datasets/support.h"

using namespace switchyard;
using namespace switchyard::test;
namespace fs = std::filesystem;

namespace {

void write_sample(const fs::path& folder, int64_t points) {
  write_npy(folder / "coord.npy", at::arange(points * 3, at::kDouble).reshape({points, 3}));
  write_npy(folder / "color.npy", at::full({points, 3}, 200, at::kByte));
  write_npy(folder / "normal.npy", at::ones({points, 3}));
  write_npy(folder / "intensity.npy", at::ones({points}));
  write_npy(folder / "segment.npy", at::full({points}, 255, at::kByte));
}

NpyFolderParams at_root(const fs::path& root, const std::string& domain = "") {
  NpyFolderParams params;
  params.root = root.string();
  params.domain = domain;
  return params;
}

std::string read_error(const fs::path& root) {
  return error_of([&] { NpyFolderDataset(at_root(root)).get(0, {}); });
}

}  // namespace

TEST_CASE("npy_folder reads the nested layout", "[datasets][npy_folder]") {
  TempDir folder;
  write_text(folder / "classes.txt", "wall\nfloor \n\n");
  write_sample(folder / "tls/train/room1", 4);
  write_sample(folder / "rgbd/test/room2", 0);
  write_sample(folder / "rgbd/test/room3", 1);
  const NpyFolderDataset dataset(at_root(folder.path()));
  REQUIRE(dataset.size() == 3);
  CHECK(dataset.info().class_names == std::vector<std::string>{"wall", "floor"});
  const Sample sample = dataset.get(2, {});
  CHECK(sample.info.uri == "tls/train/room1");
  CHECK(sample.info.domain == "tls");
  CHECK(sample.info.split == "train");
  CHECK(sample.tensors.at("coord").equal(at::arange(12, at::kFloat).reshape({4, 3})));
  CHECK(sample.tensors.at("segment").equal(at::full({4}, -1, at::kLong)));
  CHECK(sample.tensors.at("color").scalar_type() == at::kByte);
  CHECK(dataset.get(0, {}).tensors.at("coord").sizes() == at::IntArrayRef({0, 3}));
  CHECK(check_dataset(folder.path())[0].starts_with("layout: npy_folder (ROOT"));
  pack(dataset, folder / "pack", {1 << 20, true});
  CHECK(same_samples(dataset, ShardDataset(folder / "pack")));
  CHECK(check_dataset(folder / "pack")[0] == "layout: shards, 1 files, all hashes agree");
}

TEST_CASE("npy_folder reads the flat layout; coord is enough", "[datasets][npy_folder]") {
  TempDir folder;
  write_npy(folder / "one/coord.npy", at::zeros({2, 3}, at::kHalf));
  write_npy(folder / "two/coord.npy", at::zeros({2, 3}));
  const NpyFolderDataset dataset(at_root(folder.path(), "phone"));
  CHECK(dataset.size() == 2);
  CHECK(dataset.sample_info(0).domain == "phone");
  CHECK(dataset.sample_info(0).split == "test");
  CHECK(dataset.get(1, {}).tensors.size() == 1);
  CHECK(check_dataset(folder.path())[0].starts_with("layout: npy_folder, flat"));
  const std::string hash = dataset.info().hash;
  write_npy(folder / "two/coord.npy", at::ones({2, 3}));
  CHECK(NpyFolderDataset(at_root(folder.path(), "phone")).info().hash != hash);
}

TEST_CASE("npy_folder drops NaN points", "[datasets][npy_folder]") {
  TempDir folder;
  write_text(folder / "classes.txt", "a");
  write_sample(folder / "d/train/s", 3);
  auto coord = at::zeros({3, 3});
  coord[1][2] = std::numeric_limits<float>::quiet_NaN();
  write_npy(folder / "d/train/s/coord.npy", coord);
  const Sample sample = NpyFolderDataset(at_root(folder.path())).get(0, {});
  for (const auto& [key, tensor] : sample.tensors) CHECK(tensor.size(0) == 2);
}

TEST_CASE("npy_folder names what is wrong", "[datasets][npy_folder]") {
  TempDir folder;
  CHECK(holds(read_error(folder / "none"), "no such folder"));
  CHECK(holds(read_error(folder.path()), "no sample found"));
  const auto sample = folder / "d/train/s";
  write_sample(sample, 3);
  CHECK(holds(read_error(folder.path()), "classes.txt] is missing"));
  write_text(folder / "classes.txt", " \n");
  CHECK(holds(read_error(folder.path()), "is empty"));
  write_text(folder / "classes.txt", "a");
  write_npy(sample / "segment.npy", at::arange(3, at::kInt));
  CHECK(holds(read_error(folder.path()), "2 labels are no class: got 1 .. 2, expected -1 .. 0"));
  write_npy(sample / "segment.npy", at::zeros({3}));
  CHECK(holds(read_error(folder.path()), "wrong type: got Float, expected an integer type"));
  write_npy(sample / "segment.npy", at::zeros({2}, at::kInt));
  CHECK(holds(read_error(folder.path()), "wrong number of points: got 2, expected 3"));
  write_npy(sample / "color.npy", at::zeros({3, 3}));
  CHECK(holds(read_error(folder.path()), "wrong type: got Float, expected uint8"));
  write_npy(sample / "color.npy", at::zeros({3, 4}, at::kByte));
  CHECK(holds(read_error(folder.path()), "wrong shape: got [3, 4], expected [N, 3]"));
  write_npy(sample / "coord.npy", at::zeros({3, 3}, at::kInt));
  CHECK(holds(read_error(folder.path()), "expected floating point"));
  write_text(sample / "coord.npy", "torn");
  CHECK(holds(read_error(folder.path()), "is not an .npy file"));
}
