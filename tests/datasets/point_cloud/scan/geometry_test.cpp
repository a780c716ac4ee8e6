// Rays against a known sphere, triangulation, footprints, noise and averaging.

#include "datasets/point_cloud/scan/ear_clipping.h"
#include "datasets/point_cloud/scan/footprint.h"
#include "datasets/point_cloud/scan/neighbor_mean.h"
#include "datasets/point_cloud/scan/scene.h"
#include "datasets/point_cloud/scan/value_noise.h"
#include "tests/test.h"

namespace switchyard::scan {
namespace {

// Unit sphere of 2 x 64 x 128 triangles.
Soup sphere() {
  constexpr int kRings = 64, kSides = 128;
  Soup soup;
  for (int i = 0; i <= kRings; ++i) {
    for (int k = 0; k < kSides; ++k) {
      const double a = M_PI * i / kRings, b = 2 * M_PI * k / kSides;
      soup.vertices.push_back(
          {float(std::sin(a) * std::cos(b)), float(std::sin(a) * std::sin(b)), float(std::cos(a))});
    }
  }
  for (uint32_t i = 0; i < kRings; ++i) {
    for (uint32_t k = 0; k < kSides; ++k) {
      const uint32_t next = (k + 1) % kSides, a = i * kSides, b = a + kSides;
      soup.triangles.push_back({a + k, b + k, b + next});
      soup.triangles.push_back({a + k, b + next, a + next});
    }
  }
  soup.labels.assign(soup.triangles.size(), 0);
  soup.instances.assign(soup.triangles.size(), 0);
  soup.colors.assign(soup.triangles.size(), {100, 100, 100});
  return soup;
}

double area(const std::vector<Vec3>& p, const std::vector<std::array<int, 3>>& triangles) {
  double sum = 0;
  for (const auto& t : triangles) sum += cross(p[t[1]] - p[t[0]], p[t[2]] - p[t[0]]).z / 2;
  return sum;
}

}  // namespace

TEST_CASE("embree finds a sphere from inside and outside", "[scan]") {
  const Scene scene(sphere());
  RandomStream random(1, "rays");
  std::vector<Ray> rays;
  for (int i = 0; i < 2000; ++i) {
    const double x = random.normal(), y = random.normal(), z = random.normal();
    const Vec3 d = (1 / length(Vec3{x, y, z})) * Vec3{x, y, z};
    rays.push_back({{0, 0, 0}, d});
    rays.push_back({3 * d, -2.0 * d});
    rays.push_back({3 * d, d});
  }
  const auto hits = scene.cast(rays);
  for (size_t i = 0; i < hits.size(); i += 3) {
    REQUIRE(hits[i].valid());
    REQUIRE(hits[i].distance == Approx(1).margin(2e-3));
    REQUIRE(hits[i].cos_incidence > .99f);
    REQUIRE(dot(hits[i].normal, rays[i].direction) < -.99);
    REQUIRE(hits[i + 1].distance == Approx(1).margin(2e-3));  // in lengths of the direction
    REQUIRE_FALSE(hits[i + 2].valid());
  }
}

TEST_CASE("ear clipping keeps the area of convex and concave polygons", "[scan]") {
  const std::vector<Vec3> l_shape = {{0, 0, 0}, {2, 0, 0}, {2, 1, 0},
                                     {1, 1, 0}, {1, 2, 0}, {0, 2, 0}};
  const auto triangles = triangulate(l_shape);
  CHECK(triangles.size() == 4);
  CHECK(area(l_shape, triangles) == Approx(3));
  for (const auto& t : triangles) CHECK(area(l_shape, {t}) >= 0);
  CHECK(triangulate(std::vector<Vec3>{{0, 0, 0}, {1, 0, 0}}).empty());
  const std::vector<Vec3> collapsed(7, Vec3{1, 1, 1});
  CHECK(triangulate(collapsed).size() == 5);
  RandomStream random(3, "star");
  for (int round = 0; round < 50; ++round) {
    std::vector<Vec3> star;
    double expected = 0;
    for (int i = 0; i < 17; ++i) {
      const double r = random.uniform(.3, 2);
      star.push_back({r * std::cos(2 * M_PI * i / 17), r * std::sin(2 * M_PI * i / 17), 0});
    }
    for (size_t i = 0; i < star.size(); ++i)
      expected += cross(star[i], star[(i + 1) % star.size()]).z / 2;
    CHECK(area(star, triangulate(star)) == Approx(expected));
  }
}

TEST_CASE("footprints collide only where boxes overlap", "[scan]") {
  const Footprint a{{0, 0}, 1, .5, 0, 0, 1};
  CHECK(collide(a, {{1.2, 0}, .5, .5, .4, 0, 1}));
  CHECK_FALSE(collide(a, {{1.2, 0}, .5, .5, .4, 1, 2}));
  CHECK_FALSE(collide(a, {{2.2, 0}, 1, .5, 0, 0, 1}));
  CHECK_FALSE(collide(a, {{1.3, .9}, .45, .45, M_PI / 4, 0, 1}));
  const Outline l({{0, 0}, {4, 0}, {4, 2}, {2, 2}, {2, 4}, {0, 4}});
  CHECK(l.area() == Approx(12));
  CHECK(l.reflex_corner() == 3);
  CHECK(l.contains(Vec2{1, 3}));
  CHECK_FALSE(l.contains(Vec2{3, 3}));
  CHECK(l.contains(Footprint{{1, 1}, .9, .9, 0, 0, 1}));
  CHECK_FALSE(l.contains(Footprint{{2, 2}, .3, .3, 0, 0, 1}));
  CHECK(l.distance_to_walls({1, 3}) == Approx(1));
}

TEST_CASE("value noise is bounded and smooth, averaging rounds", "[scan]") {
  const ValueNoise noise(7);
  RandomStream random(2, "noise");
  for (int i = 0; i < 1000; ++i) {
    const double x = random.uniform(-3, 3), y = random.uniform(-3, 3), z = random.uniform(-3, 3);
    const double v = noise.at({x, y, z}, .25);
    REQUIRE(std::abs(v) <= 1);
    REQUIRE(std::abs(noise.at({x + 1e-6, y, z}, .25) - v) < 1e-4);
  }
  const std::vector<Vec3> points = {{0, 0, 0}, {.01, 0, 0}, {5, 5, 5}};
  const auto mean = neighbor_mean(points, 10, .035);
  CHECK(mean[2].x == 5);
  CHECK(mean[0].x + mean[1].x == Approx(.01));
  CHECK(mean[0].x > .004);
  CHECK(neighbor_mean({}, 10, .035).empty());
}

}  // namespace switchyard::scan
