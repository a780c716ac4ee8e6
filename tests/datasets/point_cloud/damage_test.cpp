// Every reader of point clouds over files that are damaged at random: an Error or a sample, no
// crash.

#include "core/config/yaml.h"
#include "datasets/point_cloud/point_file.h"
#include "datasets/point_cloud/point_files.h"
#include "datasets/point_cloud/pointcept.h"
#include "datasets/point_cloud/s3dis.h"
#include "datasets/point_cloud/scannet.h"
#include "tests/datasets/point_cloud/layouts/pointcept.h"
#include "tests/datasets/point_cloud/layouts/s3dis.h"
#include "tests/datasets/point_cloud/layouts/scannet.h"
#include "tests/support/fuzz.h"

using namespace switchyard;
using namespace switchyard::test;
namespace fs = std::filesystem;

TEST_CASE("damaged scenes of Pointcept never crash the reader", "[datasets][fuzz]") {
  TempDir folder;
  PointceptParams params;
  params.root = folder.path().string();
  params.classes = {"wall", "floor", "chair"};
  const auto read = [&] { PointceptDataset(params).get(0, {}); };
  write_pointcept_folder(folder / "train/a", make_scene(6));
  for (const char* name : {"coord", "color", "segment"})
    CHECK(refusals(folder / "train/a" / (std::string(name) + ".npy"), read, 300) > 50);
  fs::remove_all(folder / "train/a");
  write_pointcept_numpy(folder / "train/a.pth", make_scene(6));
  CHECK(refusals(folder / "train/a.pth", read, 500) > 100);
}

TEST_CASE("damaged objects of S3DIS never crash the reader", "[datasets][fuzz]") {
  TempDir folder;
  S3disParams params;
  params.root = folder.path().string();
  params.class_map = parse_yaml("{classes: [wall]}", "test");
  const fs::path object = folder / "Area_1/office_1/Annotations/wall_1.txt";
  write_s3dis_object(object, make_scene(6));
  CHECK(refusals(object, [&] { S3disDataset(params).get(0, {}); }) > 200);
}

TEST_CASE("damaged PLY and PCD files never crash the reader", "[datasets][fuzz]") {
  if (!has_open3d()) {
    WARN("no Open3D in this build: skipped");
    return;
  }
  TempDir folder;
  PointFilesParams params;
  params.root = folder.path().string();
  params.domain = "d";
  params.classes = {"wall", "floor", "chair"};
  const auto read = [&] { PointFilesDataset(params).get(0, {}); };
  for (const auto& [name, bytes] : std::map<std::string, std::string>{
           {"a.ply", ply_text(make_scene(6))},
           {"b.ply", ply_mesh(make_scene(6), at::zeros({0, 3}, at::kInt))},
           {"c.pcd", pcd_binary(make_scene(6))}}) {
    write_bytes(folder / name, bytes);
    CHECK(refusals(folder / name, read) > 100);
    fs::remove(folder / name);
  }
}

TEST_CASE("damaged files of ScanNet never crash the reader", "[datasets][fuzz]") {
  if (!has_open3d()) {
    WARN("no Open3D in this build: skipped");
    return;
  }
  TempDir folder;
  ScannetParams params;
  params.root = folder.path().string();
  params.class_map = parse_yaml("{classes: [wall], map: {0: ignore, 1: wall, 5: ignore}}", "test");
  write_scannet_scene(folder.path(), "scans", "s_00", make_scene(6),
                      at::arange(6, at::kInt).reshape({2, 3}));
  const auto read = [&] { ScannetDataset(params).get(0, {}); };
  for (const char* name :
       {"s_00_vh_clean_2.ply", "s_00_vh_clean_2.0.010000.segs.json", "s_00.aggregation.json"})
    CHECK(refusals(folder / "scans/s_00" / name, read, 500) > 50);
  CHECK(refusals(folder / "scannetv2-labels.combined.tsv", read, 500) > 20);
}
