#include "datasets/point_cloud/scan/ear_clipping.h"

#include <numeric>

namespace switchyard::scan {
namespace {

Vec3 newell_normal(std::span<const Vec3> corners) {
  Vec3 sum;
  for (size_t i = 1; i + 1 < corners.size(); ++i) {
    sum = sum + cross(corners[i] - corners[0], corners[i + 1] - corners[0]);
  }
  return sum;
}

// Drops the axis along which the normal is largest and keeps the sense of rotation positive.
std::vector<Vec2> project(std::span<const Vec3> corners) {
  const Vec3 n = newell_normal(corners);
  const double ax = std::abs(n.x), ay = std::abs(n.y), az = std::abs(n.z);
  std::vector<Vec2> out;
  for (const Vec3& p : corners) {
    if (az >= ax && az >= ay) {
      out.push_back({n.z < 0 ? -p.x : p.x, p.y});
    } else if (ax >= ay) {
      out.push_back({n.x < 0 ? -p.y : p.y, p.z});
    } else {
      out.push_back({n.y < 0 ? -p.z : p.z, p.x});
    }
  }
  return out;
}

double turn(Vec2 a, Vec2 b, Vec2 c) { return cross(b - a, c - a); }
bool same(Vec2 a, Vec2 b) { return a.x == b.x && a.y == b.y; }

bool is_ear(const std::vector<Vec2>& points, const std::vector<int>& ring, size_t i) {
  const size_t n = ring.size();
  const Vec2 a = points[ring[(i + n - 1) % n]], b = points[ring[i]], c = points[ring[(i + 1) % n]];
  if (!(turn(a, b, c) > 0)) return false;
  for (size_t k = 2; k + 1 < n; ++k) {
    const Vec2 p = points[ring[(i + k) % n]];
    if (same(p, a) || same(p, b) || same(p, c)) continue;
    if (turn(a, b, p) >= 0 && turn(b, c, p) >= 0 && turn(c, a, p) >= 0) return false;
  }
  return true;
}

}  // namespace

std::vector<std::array<int, 3>> triangulate(std::span<const Vec3> corners) {
  std::vector<std::array<int, 3>> out;
  if (corners.size() < 3) return out;
  if (corners.size() == 3) return {{0, 1, 2}};
  const std::vector<Vec2> points = project(corners);
  std::vector<int> ring(corners.size());
  std::iota(ring.begin(), ring.end(), 0);
  while (ring.size() > 3) {
    size_t ear = 0;
    while (ear < ring.size() && !is_ear(points, ring, ear)) ++ear;
    if (ear == ring.size()) ear = 1;
    const size_t n = ring.size();
    out.push_back({ring[(ear + n - 1) % n], ring[ear], ring[(ear + 1) % n]});
    ring.erase(ring.begin() + int64_t(ear));
  }
  out.push_back({ring[0], ring[1], ring[2]});
  return out;
}

}  // namespace switchyard::scan
