#include "tests/test.h"

#include "datasets/point_cloud/normals.h"
#include "datasets/point_cloud/voxelize.h"

#include <cmath>
#include <set>

using namespace switchyard;
using namespace switchyard::test;

namespace {

/// A noisy horizontal plane seen from above, with a wall at x = 0.
Sample room_corner(int64_t points) {
  Sample scan;
  scan.info.uri = "corner";
  RandomStream stream(5, "corner");
  at::Tensor coord = at::empty({points, 3}), color = at::empty({points, 3}, at::kByte);
  at::Tensor segment = at::empty({points}, at::kLong);
  for (int64_t i = 0; i < points; ++i) {
    const bool wall = i % 3 == 0;
    const double u = stream.uniform(0, 3), v = stream.uniform(0, 3), noise = stream.normal(0, .002);
    float* p = coord.data_ptr<float>() + 3 * i;
    p[0] = float(wall ? noise : u), p[1] = float(v), p[2] = float(wall ? u : noise);
    for (int64_t a = 0; a < 3; ++a)
      color.data_ptr<uint8_t>()[3 * i + a] = uint8_t(stream.below(256));
    segment.data_ptr<int64_t>()[i] = wall ? 0 : 1;
  }
  at::Tensor origin = at::full({points, 3}, 1.5, at::kFloat);
  scan.tensors = {{"coord", coord}, {"color", color}, {"segment", segment}, {"origin", origin}};
  return scan;
}

}  // namespace

TEST_CASE("smallest eigenvector of known matrices", "[voxelize]") {
  const auto z = smallest_eigenvector({3, 0, 0, 2, 0, 1});
  CHECK(std::abs(z[2]) == Approx(1));
  const auto diagonal = smallest_eigenvector({2, 1, 0, 2, 0, 5});  // eigenvalue 1: (1, -1, 0)
  CHECK(std::abs(diagonal[0] - diagonal[1]) == Approx(std::sqrt(2.0)));
  const auto line = smallest_eigenvector({1, 0, 0, 0, 0, 0});  // points on the x axis
  CHECK(std::abs(line[0]) == Approx(0).margin(1e-9));
  CHECK(line[1] * line[1] + line[2] * line[2] == Approx(1));
  CHECK(smallest_eigenvector({0, 0, 0, 0, 0, 0})[2] == 1);
}

TEST_CASE("voxels are unique, cover every point and carry facing normals", "[voxelize]") {
  const Sample scan = room_corner(6000);
  VoxelParams params;
  const VoxelCloud cloud = voxelize(scan, params, RandomStream(1, "voxel"));
  const int64_t count = cloud.grid_coord.size(0);
  std::set<std::array<int64_t, 3>> cells;
  for (int64_t v = 0; v < count; ++v) {
    const int64_t* c = cloud.grid_coord.data_ptr<int64_t>() + 3 * v;
    cells.insert({c[0], c[1], c[2]});
    const float* f = cloud.feat.data_ptr<float>() + 5 * v;
    const bool wall = cloud.segment.data_ptr<int64_t>()[v] == 0;
    const float* p = cloud.coord.data_ptr<float>() + 3 * v;
    if (wall && p[2] > .4f) CHECK(f[1] > .95f);   // normal +x, towards the sensor
    if (!wall && p[0] > .4f) CHECK(f[3] > .95f);  // normal +z
    CHECK(std::abs(f[4]) <= 1.f);
  }
  CHECK(int64_t(cells.size()) == count);
  CHECK(cloud.inverse.size(0) == 6000);
  CHECK(cloud.inverse.max().item<int64_t>() == count - 1);
}

TEST_CASE("a training crop has the asked size and depends only on its draw", "[voxelize]") {
  const Sample scan = room_corner(6000);
  VoxelParams params;
  params.crop_voxels = 200;
  const auto a = voxelize_train(scan, params, RandomStream(1, "crop", 0, 3));
  const auto b = voxelize_train(scan, params, RandomStream(1, "crop", 0, 3));
  const auto c = voxelize_train(scan, params, RandomStream(1, "crop", 0, 4));
  CHECK(a.feat.size(0) == 200);
  CHECK(a.feat.equal(b.feat));
  CHECK_FALSE(a.feat.equal(c.feat));
  CHECK(a.grid_coord.min().item<int64_t>() == 0);
}

TEST_CASE("ranks ignore any rising map and share ties", "[voxelize]") {
  CHECK(rank_normalized({3.f, 1.f, 2.f}) == std::vector<float>{1.f, -1.f, 0.f});
  CHECK(rank_normalized({9.f, 1.f, 4.f}) == rank_normalized({3.f, 1.f, 2.f}));
  CHECK(rank_normalized({5.f, 5.f}) == std::vector<float>{0.f, 0.f});
  CHECK(rank_normalized({}).empty());
}

TEST_CASE("bad clouds give an error that names the scan; small ones work", "[voxelize]") {
  VoxelParams params;
  Sample scan = room_corner(10);
  scan.tensors["coord"][3][1] = std::nan("");
  CHECK(error_of([&] { voxelize(scan, params, RandomStream(0, "v")); }) ==
        "[corner] coord is not finite at point 3");
  scan.tensors["coord"][3][1] = 1e9;
  CHECK(error_of([&] { voxelize(scan, params, RandomStream(0, "v")); }).find("too large") !=
        std::string::npos);
  scan.tensors["coord"] = at::zeros({10, 2});
  CHECK(error_of([&] { voxelize(scan, params, RandomStream(0, "v")); }).find("expected [N, 3]") !=
        std::string::npos);
  for (int64_t points : {0, 1})
    CHECK(voxelize(room_corner(points), params, RandomStream(0, "v")).feat.size(0) == points);
  CHECK(voxelize_train(room_corner(0), params, RandomStream(0, "v")).feat.size(0) == 0);
  scan = room_corner(10);
  scan.tensors["segment"] = at::zeros({9}, at::kLong);
  CHECK(error_of([&] { voxelize(scan, params, RandomStream(0, "v")); }).find("differ in length") !=
        std::string::npos);
}
