#include "datasets/point_cloud/scan/footprint.h"

#include <algorithm>

namespace switchyard::scan {
namespace {

bool separated(const Footprint& a, const Footprint& b, Vec2 axis) {
  const double reach_a =
      a.half_x * std::abs(dot(a.axis_x(), axis)) + a.half_y * std::abs(dot(a.axis_y(), axis));
  const double reach_b =
      b.half_x * std::abs(dot(b.axis_x(), axis)) + b.half_y * std::abs(dot(b.axis_y(), axis));
  return std::abs(dot(b.center - a.center, axis)) >= reach_a + reach_b;
}

}  // namespace

bool Footprint::contains(Vec2 p) const {
  const Vec2 d = p - center;
  return std::abs(dot(d, axis_x())) < half_x && std::abs(dot(d, axis_y())) < half_y;
}

bool collide(const Footprint& a, const Footprint& b) {
  if (a.z1 <= b.z0 || b.z1 <= a.z0) return false;
  return !separated(a, b, a.axis_x()) && !separated(a, b, a.axis_y()) &&
         !separated(a, b, b.axis_x()) && !separated(a, b, b.axis_y());
}

Vec2 Outline::along(int64_t wall) const {
  return (1 / wall_length(wall)) * (end(wall) - start(wall));
}

Vec2 Outline::inward(int64_t wall) const {
  const Vec2 t = along(wall);
  return {-t.y, t.x};
}

int64_t Outline::reflex_corner() const {
  for (int64_t i = 0; i < size(); ++i) {
    if (cross(along((i + size() - 1) % size()), along(i)) < 0) return i;
  }
  return -1;
}

double Outline::area() const {
  double twice = 0;
  for (int64_t i = 0; i < size(); ++i) twice += cross(start(i), end(i));
  return twice / 2;
}

Vec2 Outline::center() const {
  const auto by_x = [](Vec2 a, Vec2 b) { return a.x < b.x; };
  const auto by_y = [](Vec2 a, Vec2 b) { return a.y < b.y; };
  const auto [x0, x1] = std::minmax_element(corners_.begin(), corners_.end(), by_x);
  const auto [y0, y1] = std::minmax_element(corners_.begin(), corners_.end(), by_y);
  return {(x0->x + x1->x) / 2, (y0->y + y1->y) / 2};
}

bool Outline::contains(Vec2 p) const {
  bool inside = false;
  for (int64_t i = 0; i < size(); ++i) {
    const Vec2 a = start(i), b = end(i);
    if ((a.y > p.y) != (b.y > p.y) && p.x < a.x + (p.y - a.y) / (b.y - a.y) * (b.x - a.x))
      inside = !inside;
  }
  return inside;
}

bool Outline::contains(const Footprint& f) const {
  for (int u = -1; u <= 1; ++u) {
    for (int v = -1; v <= 1; ++v) {
      if (!contains(f.at(0.985 * u, 0.985 * v))) return false;
    }
  }
  const int64_t reflex = reflex_corner();
  return reflex < 0 || !f.contains(corners_[reflex]);
}

double Outline::distance_to_walls(Vec2 p) const {
  double best = 1e30;
  for (int64_t i = 0; i < size(); ++i) {
    const double s = std::clamp(dot(p - start(i), along(i)), 0.0, wall_length(i));
    best = std::min(best, length(p - start(i) - s * along(i)));
  }
  return best;
}

}  // namespace switchyard::scan
