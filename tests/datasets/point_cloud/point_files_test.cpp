#include "datasets/point_cloud/point_files.h"

#include "datasets/check.h"
#include "datasets/pack.h"
#include "datasets/point_cloud/point_file.h"
#include "datasets/shards.h"
#include "tests/datasets/point_cloud/layouts/point_files.h"

using namespace switchyard;
using namespace switchyard::test;
namespace fs = std::filesystem;

namespace {

PointFilesParams at_root(const fs::path& root, const std::string& domain = "") {
  PointFilesParams params;
  params.root = root.string();
  params.domain = domain;
  params.classes = {"wall", "floor", "chair"};
  return params;
}

bool needs_open3d() {
  if (!has_open3d()) WARN("no Open3D in this build: skipped");
  return has_open3d();
}

/// What reading ROOT/cloud.EXT with these bytes says.
std::string error_with(const char* extension, const std::string& bytes) {
  TempDir folder;
  write_bytes(folder / (std::string("cloud") + extension), bytes);
  return error_of([&] { PointFilesDataset(at_root(folder.path(), "d")).get(0, {}); });
}

std::string ply(
    const std::string& count, const std::string& rows,
    const std::string& axes = "property float x\nproperty float y\nproperty float z\n") {
  return "ply\nformat ascii 1.0\nelement vertex " + count + "\n" + axes + "end_header\n" + rows;
}

}  // namespace

TEST_CASE("point_files reads text files", "[datasets][point_files]") {
  TempDir folder;
  write_bytes(folder / "a/train/1.xyz", "1 2 3\n4.5\t5 6\r\n\n");
  write_bytes(folder / "a/train/2.xyzn", "1 2 3 0 0 1\n");
  write_bytes(folder / "b/test/3.xyzrgb", "1 2 3 0 1 0.2\n");
  write_bytes(folder / "b/test/4.xyz", "");
  const PointFilesDataset dataset(at_root(folder.path()));
  REQUIRE(dataset.size() == 4);
  CHECK(dataset.sample_info(2).domain == "b");
  CHECK(dataset.sample_info(2).split == "test");
  CHECK(dataset.get(0, {}).tensors.at("coord")[1][0].item<float>() == 4.5f);
  CHECK(dataset.get(1, {}).tensors.at("normal")[0][2].item<float>() == 1);
  CHECK(dataset.get(2, {}).tensors.at("color")[0][1].item<int>() == 255);
  CHECK(dataset.get(2, {}).tensors.at("color")[0][2].item<int>() == 51);
  CHECK(dataset.get(3, {}).tensors.at("coord").size(0) == 0);
  const auto lines = join(check_dataset(folder.path()), "\n");
  CHECK(holds(lines, "layout: point_files (ROOT/<domain>/<split>/"));
  CHECK(holds(lines, "missing: color in 3 of 4 samples"));
}

TEST_CASE("point_files reads PLY and PCD through Open3D", "[datasets][point_files]") {
  if (!needs_open3d()) return;
  TempDir folder;
  const Scene scene = make_scene(100);
  write_bytes(folder / "1.ply", ply_text(scene));
  write_bytes(folder / "2.pcd", pcd_binary(scene));
  write_bytes(folder / "3.ply", ply_text(make_scene(1)));
  const PointFilesDataset dataset(at_root(folder.path(), "phone"));
  REQUIRE(dataset.size() == 3);
  const Sample cloud = dataset.get(0, {}), scan = dataset.get(1, {});
  CHECK(cloud.tensors.at("coord").equal(scene.coord));
  CHECK(cloud.tensors.at("color").equal(scene.color));
  CHECK(cloud.tensors.at("normal").equal(scene.normal));
  CHECK(cloud.tensors.at("segment").equal(scene.segment));
  CHECK(scan.tensors.at("coord").equal(scene.coord));
  CHECK(scan.tensors.at("color").equal(scene.color));
  CHECK(scan.tensors.at("intensity").equal(at::arange(100, at::kFloat)));
  CHECK(dataset.get(2, {}).tensors.at("segment").size(0) == 1);
  CHECK(holds(join(check_dataset(folder.path())), "domain: " + folder.path().filename().string()));
  fs::remove(folder / "2.pcd");
  const PointFilesDataset equal_keys(at_root(folder.path(), "phone"));
  pack(equal_keys, folder / "pack", {1 << 20, true});
  CHECK(same_samples(equal_keys, ShardDataset(folder / "pack")));
}

TEST_CASE("damaged text points are named with their line", "[datasets][point_files]") {
  CHECK(holds(error_with(".xyz", "1 2 3\n4 5\n"), "cloud.xyz:2] wrong number of columns: got 2"));
  CHECK(holds(error_with(".xyz", "1 2 x\n"), "cloud.xyz:1] is no number: got 'x'"));
  CHECK(holds(error_with(".xyz", std::string("1 2 3\x10", 6)), "is no number"));
  CHECK(holds(error_with(".xyz", "1 2 2147483648\n"), "coordinates are too large"));
  CHECK(holds(error_with(".xyz", "500000.01 2 3\n"), "float32 would move points"));
  CHECK(holds(error_with(".xyzrgb", "1 2 3 0 0 2\n"), "1 colour values are not from 0 to 1"));
}

TEST_CASE("damaged PLY files are refused before Open3D guesses", "[datasets][point_files]") {
  CHECK(holds(error_with(".ply", ""), "is no PLY file"));
  CHECK(holds(error_with(".ply", "hello"), "is no PLY file"));
  CHECK(holds(error_with(".ply", "ply\nformat ascii 1.0\n"), "header: it does not end"));
  CHECK(holds(error_with(".ply", "ply\nend_header\n"), "it has no element vertex"));
  CHECK(holds(error_with(".ply", ply("-5", "")), "cloud.ply:3] is no number of points: got '-5'"));
  CHECK(
      holds(error_with(".ply", ply("1000000000000", "1 2 3\n")), "more points than the file has"));
  CHECK(holds(error_with(".ply", ply("1", "1 2\n", "property float x\nproperty float y\n")),
              "has no property z"));
  if (!needs_open3d()) return;
  CHECK(holds(error_with(".ply", ply("2", "1 2 3\n")), "Open3D cannot read it"));
  CHECK(holds(error_with(".ply", ply("1", "1 2 x\n")), "Open3D cannot read it"));
  CHECK(holds(error_with(".ply", ply("1", "1 2 2147483648\n")), "coordinates are too large"));
  Scene scene = make_scene(4);
  scene.segment.fill_(3);
  CHECK(holds(error_with(".ply", ply_text(scene)), "4 labels are no class: got 3 .. 3"));
  const std::string whole = ply_text(make_scene(4));
  for (size_t cut = 0; cut + 4 < whole.size(); cut += 7) error_with(".ply", whole.substr(0, cut));
}

TEST_CASE("damaged PCD files are refused before Open3D guesses", "[datasets][point_files]") {
  CHECK(holds(error_with(".pcd", ""), "is no PCD file"));
  CHECK(holds(error_with(".pcd", pcd_header(-4, "ascii")), "is no number of points: got '-4'"));
  CHECK(
      holds(error_with(".pcd", pcd_header(10000000000, "ascii")), "more points than the file has"));
  CHECK(holds(error_with(".pcd", pcd_header(1, "ascii", "x y") + "1 2\n"), "has no property z"));
  CHECK(holds(error_with(".pcd", pcd_header(3, "ascii", "x y z") + "1 2 3\n"),
              "wrong number of points: got 1, expected 3"));
  CHECK(holds(error_with(".pcd", pcd_header(1, "ascii", "x y z") + "1 2\n"),
              "cloud.pcd:12] wrong number of columns: got 2, expected 3"));
  CHECK(holds(error_with(".pcd", pcd_header(1, "asc", "x y z") + "1 2 3\n"),
              "unknown kind of data: got 'asc'"));
  if (!needs_open3d()) return;
  const std::string whole = pcd_binary(make_scene(4));
  for (size_t cut = 0; cut < whole.size(); cut += 5) error_with(".pcd", whole.substr(0, cut));
}

TEST_CASE("NaN points of a PLY file are dropped", "[datasets][point_files]") {
  if (!needs_open3d()) return;
  TempDir folder;
  write_bytes(folder / "a.ply", ply("2", "nan 2 3\n1 2 3\n"));
  const Sample sample = PointFilesDataset(at_root(folder.path(), "d")).get(0, {});
  CHECK(sample.tensors.at("coord").size(0) == 1);
}

TEST_CASE("a build without Open3D says how to get it", "[datasets][point_files]") {
  if (has_open3d()) return;
  CHECK(holds(error_with(".ply", ply("1", "1 2 3\n")),
              "need Open3D, which this build does not hold"));
}
