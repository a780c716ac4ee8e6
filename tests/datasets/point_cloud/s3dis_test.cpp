#include "datasets/point_cloud/s3dis.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/full.h>
#include <ATen/ops/tensor.h>

#include "core/config/yaml.h"
#include "datasets/check.h"
#include "datasets/pack.h"
#include "datasets/shards.h"
#include "tests/datasets/point_cloud/layouts/s3dis.h"

using namespace switchyard;
using namespace switchyard::test;
namespace fs = std::filesystem;

namespace {

S3disParams at_root(const fs::path& root) {
  S3disParams params;
  params.root = root.string();
  params.class_map =
      parse_yaml("{classes: [ceiling, wall, clutter], map: {stairs: clutter}}", "test");
  return params;
}

const char* const kRoom = "Area_5/hallway_6/Annotations";

/// What reading a room of one ceiling with this text says.
std::string error_with(const TempDir& folder, const std::string& text) {
  write_text(folder / kRoom / "ceiling_1.txt", text);
  return error_of([&] { S3disDataset(at_root(folder.path())).get(0, {}); });
}

}  // namespace

TEST_CASE("s3dis reads objects as instances of their class", "[datasets][s3dis]") {
  TempDir folder;
  const Scene scene = make_scene(90), one = make_scene(1);
  write_s3dis_object(folder / kRoom / "wall_1.txt", scene);
  write_s3dis_object(folder / kRoom / "stairs_1.txt", one);
  write_s3dis_object(folder / "Area_1/office_1/Annotations/ceiling_1.txt", scene);
  write_text(folder / "Area_1/Area_1_alignmentAngle.txt", "office_1 0\n");
  auto params = at_root(folder.path());
  params.splits = parse_yaml("{train: Area_1, test: [Area_5]}", "test");
  const S3disDataset dataset(params);
  REQUIRE(dataset.size() == 2);
  const Sample room = dataset.get(1, {});
  CHECK(room.info.uri == "Area_5/hallway_6");
  CHECK(room.info.split == "test");
  CHECK(room.tensors.at("coord").equal(at::cat({one.coord, scene.coord})));
  CHECK(room.tensors.at("color").equal(at::cat({one.color, scene.color})));
  CHECK(room.tensors.at("segment").equal(
      at::cat({at::full({1}, 2, at::kLong), at::full({90}, 1, at::kLong)})));
  CHECK(room.tensors.at("instance")
            .equal(at::cat({at::full({1}, 0, at::kLong), at::full({90}, 1, at::kLong)})));
  pack(dataset, folder / "pack", {1 << 20, true});
  CHECK(same_samples(dataset, ShardDataset(folder / "pack")));
}

TEST_CASE("s3dis repairs the bytes that lost a bit in the release", "[datasets][s3dis]") {
  TempDir folder;
  // The four that readers of the release report: a blank, and digits before and behind the point.
  const std::string text = cat("1 2 3 185", std::string(1, '\0'),
                               "187 9\n-9.1\x16"
                               "0 2 3 167.\x10"
                               "00000 103.0\x10"
                               "0000 9\n");
  fs::create_directories(folder / kRoom);
  write_text(folder / kRoom / "ceiling_1.txt", text);
  const Sample room = S3disDataset(at_root(folder.path())).get(0, {});
  CHECK(room.tensors.at("coord").equal(
      at::tensor({1.f, 2.f, 3.f, -9.16f, 2.f, 3.f}).reshape({2, 3})));
  CHECK(room.tensors.at("color").equal(
      at::tensor({185, 187, 9, 167, 103, 9}).to(at::kByte).reshape({2, 3})));
}

TEST_CASE("s3dis names file and line of what is damaged", "[datasets][s3dis]") {
  TempDir folder;
  CHECK(holds(error_of([&] { S3disDataset(at_root(folder.path())); }), "no room found"));
  fs::create_directories(folder / kRoom);
  CHECK(
      holds(error_of([&] { S3disDataset(at_root(folder.path())).get(0, {}); }), "holds no object"));
  CHECK(holds(error_with(folder, "1 2 3 4 5 6\n1 2 3 4 5"),
              "ceiling_1.txt:2] wrong number of columns: got 5, expected 6"));
  CHECK(holds(error_with(folder, "1 2 3 4 5 6\n\n1 2 3 4 5 6"),
              "ceiling_1.txt:2] wrong number of columns: got 0"));
  CHECK(holds(error_with(folder, "1 2 x3 4 5 6"), "ceiling_1.txt:1] is no number: got 'x3'"));
  CHECK(holds(error_with(folder, "1 2 3\x7f 4 5 6"), "is no number"));
  CHECK(holds(error_with(folder, "1 2 1e999 4 5 6"), "is no number: got '1e999'"));
  CHECK(holds(error_with(folder, "1 2 2147483648 4 5 6"), "coordinates are too large for float32"));
  CHECK(holds(error_with(folder, "1 2 3 4 5 256"),
              "1 colour values are not whole numbers from 0 to 255: got 256"));
  CHECK(holds(error_with(folder, "1 2 3 4 5 nan"), "1 colour values"));
  write_text(folder / kRoom / "piano_1.txt", "");
  CHECK(holds(error_with(folder, ""),
              "object is of no class: got 'piano'; valid: ceiling, clutter, stairs, wall"));
}

TEST_CASE("s3dis drops NaN points and takes empty objects", "[datasets][s3dis]") {
  TempDir folder;
  fs::create_directories(folder / kRoom);
  write_text(folder / kRoom / "ceiling_1.txt", "nan 2 3 4 5 6\n1 2 3 4 5 6\r\n \n");
  write_text(folder / kRoom / "wall_1.txt", "");
  const Sample room = S3disDataset(at_root(folder.path())).get(0, {});
  for (const auto& [key, tensor] : room.tensors) CHECK(tensor.size(0) == 1);
}

TEST_CASE("s3dis needs a class map", "[datasets][s3dis]") {
  TempDir folder;
  write_s3dis_object(folder / kRoom / "wall_1.txt", make_scene(2));
  const auto error_of_map = [&](const char* map) {
    auto params = at_root(folder.path());
    params.class_map = parse_yaml(map, "test");
    return error_of([&] { S3disDataset{params}; });
  };
  CHECK(holds(error_of_map("{}"), "valid: class_map=s3dis13"));
  CHECK(holds(error_of_map("{classes: [wall, wall]}"), "class is named twice: got 'wall'"));
  CHECK(holds(error_of_map("{classes: [wall], map: {stairs: clutter}}"), "unknown class"));
}

TEST_CASE("datasets check tells which areas of S3DIS are missing", "[datasets][s3dis]") {
  TempDir folder;
  write_s3dis_object(folder / kRoom / "stairs_1.txt", make_scene(2));
  const auto lines = join(check_dataset(folder.path()), "\n");
  CHECK(holds(lines, "layout: s3dis"));
  CHECK(holds(lines, "label 0 stairs: 2"));
  CHECK(holds(lines, "missing: Area_1\n"));
  CHECK_FALSE(holds(lines, "missing: Area_5"));
  CHECK(holds(lines, "dataset=point_cloud/s3dis +class_map=s3dis13"));
}
