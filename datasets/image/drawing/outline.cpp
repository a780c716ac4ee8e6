#include "datasets/image/drawing/outline.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/base/error.h"

namespace switchyard::drawing {
namespace {

constexpr double kPi = std::numbers::pi;

Point on_circle(double angle, double radius) {
  return {radius * std::cos(angle), radius * std::sin(angle)};
}

/// `corners` points from the top on, at radii that take turns.
std::vector<Point> spikes(int corners, double even, double odd) {
  std::vector<Point> out;
  for (int i = 0; i < corners; ++i)
    out.push_back(on_circle(2 * kPi * i / corners - kPi / 2, i % 2 ? odd : even));
  return out;
}

std::vector<Point> plus(double arm, double half) {
  return {{half, -arm}, {half, -half}, {arm, -half}, {arm, half},   {half, half},   {half, arm},
          {-half, arm}, {-half, half}, {-arm, half}, {-arm, -half}, {-half, -half}, {-half, -arm}};
}

/// The curve (16 sin^3 t, 13 cos t - 5 cos 2t - 2 cos 3t - cos 4t), scaled.
std::vector<Point> heart() {
  constexpr int kCorners = 48;
  std::vector<Point> out;
  for (int i = 0; i < kCorners; ++i) {
    const double t = 2 * kPi * i / kCorners, s = std::sin(t);
    const double y = 13 * std::cos(t) - 5 * std::cos(2 * t) - 2 * std::cos(3 * t) - std::cos(4 * t);
    out.push_back({s * s * s * .95, -(y + 2.5) / 16.5});
  }
  return out;
}

/// A circle of radius .95 without one of radius .74 whose centre lies .43 beside its own.
std::vector<Point> crescent() {
  constexpr int kCorners = 24;
  constexpr double kOuter = .95, kInner = .74, kBeside = .43;
  const double x = (kBeside * kBeside + kOuter * kOuter - kInner * kInner) / (2 * kBeside);
  const double horn = std::acos(x / kOuter), hollow = std::acos((x - kBeside) / kInner);
  std::vector<Point> out;
  for (int i = 0; i <= kCorners; ++i)
    out.push_back(on_circle(horn + 2 * (kPi - horn) * i / kCorners, kOuter));
  for (int i = 1; i < kCorners; ++i) {
    const Point p = on_circle(-hollow - 2 * (kPi - hollow) * i / kCorners, kInner);
    out.push_back({p.x + kBeside, p.y});
  }
  return out;
}

std::vector<Point> corners_of(const std::string& name) {
  if (name == "square") return {{-.78, -.78}, {.78, -.78}, {.78, .78}, {-.78, .78}};
  if (name == "triangle") return {{0, -1}, {.98, .72}, {-.98, .72}};
  if (name == "star") return spikes(10, 1.08, .45);
  if (name == "cross") return plus(.95, .3);
  if (name == "heart") return heart();
  return name == "crescent" ? crescent() : std::vector<Point>();
}

double square_to_segment(Point p, Point a, Point b) {
  const double dx = b.x - a.x, dy = b.y - a.y;
  const double along = ((p.x - a.x) * dx + (p.y - a.y) * dy) / (dx * dx + dy * dy);
  const double t = std::clamp(along, 0., 1.);
  const double x = p.x - a.x - t * dx, y = p.y - a.y - t * dy;
  return x * x + y * y;
}

/// A ray from `p` to the right crosses the segment.
bool crosses(Point p, Point a, Point b) {
  if ((a.y > p.y) == (b.y > p.y)) return false;
  return p.x < a.x + (p.y - a.y) / (b.y - a.y) * (b.x - a.x);
}

double to_polygon(Point p, const std::vector<Point>& corners) {
  double nearest = square_to_segment(p, corners.back(), corners.front());
  bool inside = crosses(p, corners.back(), corners.front());
  for (size_t i = 0; i + 1 < corners.size(); ++i) {
    nearest = std::min(nearest, square_to_segment(p, corners[i], corners[i + 1]));
    inside ^= crosses(p, corners[i], corners[i + 1]);
  }
  return inside ? -std::sqrt(nearest) : std::sqrt(nearest);
}

}  // namespace

const std::vector<std::string>& shape_names() {
  static const std::vector<std::string> names = {"circle", "square", "triangle", "star",
                                                 "cross",  "ring",   "heart",    "crescent"};
  return names;
}

Outline::Outline(const std::string& name) : name_(name), corners_(corners_of(name)) {
  check_name("outline", "shape", name, shape_names());
}

double Outline::distance(Point p) const {
  if (!corners_.empty()) return to_polygon(p, corners_);
  const double from_middle = std::hypot(p.x, p.y);
  return name_ == "ring" ? std::abs(from_middle - .7) - .24 : from_middle - .88;
}

}  // namespace switchyard::drawing
