#include "datasets/point_cloud/scannet.h"

#include <ATen/ops/allclose.h>

#include "core/config/yaml.h"
#include "datasets/check.h"
#include "datasets/point_cloud/point_file.h"
#include "datasets/point_cloud/scannet_labels.h"
#include "tests/datasets/point_cloud/layouts/scannet.h"

using namespace switchyard;
using namespace switchyard::test;
namespace fs = std::filesystem;

namespace {

const char* const kMap =
    "{classes: [wall, chair], map: {0: ignore, 1: wall, 5: chair, 39: ignore}}";
const char* const kMesh = "scans/scene0000_00/scene0000_00_vh_clean_2.ply";
const char* const kGroups = "scans/scene0000_00/scene0000_00.aggregation.json";
const char* const kSegs = "scans/scene0000_00/scene0000_00_vh_clean_2.0.010000.segs.json";

ScannetParams at_root(const fs::path& root) {
  ScannetParams params;
  params.root = root.string();
  params.class_map = parse_yaml(kMap, "test");
  return params;
}

at::Tensor faces() { return at::tensor({0, 1, 2, 0, 2, 3}, at::kInt).reshape({2, 3}); }

/// Four corners of a square in the plane z = 1, and one vertex without a face.
Scene square() {
  Scene scene = make_scene(5);
  scene.coord =
      at::tensor({0.f, 0.f, 1.f, 2.f, 0.f, 1.f, 2.f, 2.f, 1.f, 0.f, 2.f, 1.f, 5.f, 5.f, 5.f})
          .reshape({5, 3});
  return scene;
}

std::string read_error(const fs::path& root) {
  return error_of([&] { ScannetDataset(at_root(root)).get(0, {}); });
}

bool needs_open3d() {
  if (!has_open3d()) WARN("no Open3D in this build: skipped");
  return has_open3d();
}

}  // namespace

TEST_CASE("scannet reads mesh, groups and the table of labels", "[datasets][scannet]") {
  if (!needs_open3d()) return;
  TempDir folder;
  const Scene scene = square();
  write_scannet_scene(folder.path(), "scans", "scene0000_00", scene, faces());
  write_scannet_scene(folder.path(), "scans_test", "scene0707_00", scene, faces());
  const ScannetDataset dataset(at_root(folder.path()));
  REQUIRE(dataset.size() == 2);
  CHECK(dataset.sample_info(0).group == "scene0000");
  CHECK(dataset.sample_info(1).split == "scans_test");
  const Sample sample = dataset.get(0, {});
  CHECK(sample.tensors.at("coord").equal(scene.coord));
  CHECK(sample.tensors.at("color").equal(scene.color));
  // wall, office chair, a label that the table lacks, no group, wall
  CHECK(sample.tensors.at("segment").equal(at::tensor({0, 1, -1, -1, 0}, at::kLong)));
  CHECK(sample.tensors.at("instance").equal(at::tensor({10, 11, 12, -1, 10}, at::kLong)));
  at::Tensor normal = at::zeros({5, 3});
  normal.slice(0, 0, 4).select(1, 2).fill_(1);
  CHECK(at::allclose(sample.tensors.at("normal"), normal, 0, 1e-7));
  CHECK(dataset.get(1, {}).tensors.count("segment") == 0);
}

TEST_CASE("scannet takes splits from the benchmark's lists", "[datasets][scannet]") {
  if (!needs_open3d()) return;
  TempDir folder;
  for (const char* name : {"scene0000_00", "scene0000_01", "scene0001_00"})
    write_scannet_scene(folder.path(), "scans", name, square(), faces());
  write_text(folder / "val.txt", "scene0001_00\n\nscene0000_01\r\n");
  auto params = at_root(folder.path());
  params.splits = parse_yaml("{val: val.txt}", "test");
  const ScannetDataset dataset(params);
  REQUIRE(dataset.size() == 2);
  CHECK(dataset.sample_info(0).uri == "scans/scene0001_00");
  CHECK(dataset.sample_info(1).split == "val");
  write_text(folder / "val.txt", "scene0009_00\n");
  CHECK(holds(error_of([&] { ScannetDataset{params}; }),
              "a scene that is not there: got 'scene0009_00'"));
  write_text(folder / "val.txt", "../scene0009_00\n");
  CHECK(holds(error_of([&] { ScannetDataset{params}; }), "expected a name below the root"));
}

TEST_CASE("scannet names damaged files", "[datasets][scannet]") {
  if (!needs_open3d()) return;
  TempDir folder;
  CHECK(holds(read_error(folder.path()), "no scene found"));
  const auto reset = [&] {
    write_scannet_scene(folder.path(), "scans", "scene0000_00", square(), faces());
  };
  const auto with = [&](const char* file, const std::string& text) {
    reset();
    write_bytes(folder / file, text);
    return read_error(folder.path());
  };
  CHECK(holds(with(kMesh, ply_mesh(square(), faces() + 3)),
              "faces name vertices that are not there: got 3 of 6"));
  const std::string mesh = ply_mesh(square(), faces());
  for (size_t cut = 0; cut < mesh.size(); cut += 11) with(kMesh, mesh.substr(0, cut));
  CHECK(
      holds(with(kSegs, "{\"segIndices\": [1, 2]}"), "wrong number of points: got 2, expected 5"));
  CHECK(holds(with(kSegs, "{\"segIndices\": [1, 2"), "segs.json"));
  CHECK(holds(with(kSegs, "[]"), "segs.json"));
  CHECK(holds(with(kGroups, "{\"segGroups\": {}}"), "expected a list 'segGroups'"));
  CHECK(holds(with(kGroups, "{\"segGroups\": [{\"id\": 1}]}"), "segGroups[0]] expected a group"));
  CHECK(
      holds(with(kGroups, "{\"segGroups\": [{\"id\": -1, \"label\": \"wall\", \"segments\": []}]}"),
            "bad id: got -1"));
  CHECK(holds(with("scannetv2-labels.combined.tsv", "id\traw_category\n"),
              "unknown column: got 'nyu40id'"));
  CHECK(holds(with("scannetv2-labels.combined.tsv", "raw_category\tnyu40id\nwall\n"),
              "tsv:2] too few columns: got 1"));
  CHECK(holds(with("scannetv2-labels.combined.tsv", "raw_category\tnyu40id\nwall\tx\n"),
              "tsv:2] bad nyu40id: got 'x'"));
  CHECK(holds(with("scannetv2-labels.combined.tsv", "raw_category\tnyu40id\nwall\t77\n"), "77"));
  reset();
  fs::remove(folder / kSegs);
  CHECK(holds(read_error(folder.path()), "is missing, but the other label file"));
}

TEST_CASE("scannet drops NaN vertices and takes a mesh of one vertex", "[datasets][scannet]") {
  if (!needs_open3d()) return;
  TempDir folder;
  Scene scene = square();
  scene.coord[4][0] = kNaN;
  write_scannet_scene(folder.path(), "scans", "scene0000_00", scene, faces());
  write_scannet_scene(folder.path(), "scans", "scene0001_00", make_scene(1),
                      faces().slice(0, 0, 0));
  const ScannetDataset dataset(at_root(folder.path()));
  for (const auto& [key, tensor] : dataset.get(0, {}).tensors) CHECK(tensor.size(0) == 4);
  for (const auto& [key, tensor] : dataset.get(1, {}).tensors) CHECK(tensor.size(0) == 1);
}

TEST_CASE("datasets check counts ScanNet's raw ids and names the lists", "[datasets][scannet]") {
  if (!needs_open3d()) return;
  TempDir folder;
  write_scannet_scene(folder.path(), "scans", "scene0000_00", square(), faces());
  const auto lines = join(check_dataset(folder.path()), "\n");
  CHECK(holds(lines, "layout: scannet"));
  CHECK(holds(lines, " id 5: 1"));
  CHECK(holds(lines, "missing: scannetv2_train.txt"));
  CHECK(holds(lines, "+class_map=scannet20"));
}
