#pragma once
// Oriented boxes on the floor plan, and room outlines.

#include <vector>

#include "datasets/point_cloud/scan/vec3.h"

namespace switchyard::scan {

/// Rectangle (centre, half sizes, yaw) over the heights [z0, z1].
struct Footprint {
  Vec2 center;
  double half_x = 0, half_y = 0, yaw = 0, z0 = 0, z1 = 0;

  Vec2 axis_x() const { return {std::cos(yaw), std::sin(yaw)}; }
  Vec2 axis_y() const { return {-std::sin(yaw), std::cos(yaw)}; }
  /// Point at (u, v) in [-1, 1]^2 of the rectangle.
  Vec2 at(double u, double v) const {
    return center + u * half_x * axis_x() + v * half_y * axis_y();
  }
  bool contains(Vec2 p) const;
  double area() const { return 4 * half_x * half_y; }
};

/// Height intervals overlap and no separating axis exists.
bool collide(const Footprint& a, const Footprint& b);

/// Counter-clockwise outline of a room; the inside lies left of each edge.
class Outline {
 public:
  explicit Outline(std::vector<Vec2> corners = {}) : corners_(std::move(corners)) {}
  const std::vector<Vec2>& corners() const { return corners_; }
  int64_t size() const { return int64_t(corners_.size()); }
  Vec2 start(int64_t wall) const { return corners_[wall]; }
  Vec2 end(int64_t wall) const { return corners_[(wall + 1) % size()]; }
  double wall_length(int64_t wall) const { return length(end(wall) - start(wall)); }
  Vec2 along(int64_t wall) const;   ///< unit vector from start to end
  Vec2 inward(int64_t wall) const;  ///< unit normal into the room
  /// Index of the reflex corner of an L, or -1.
  int64_t reflex_corner() const;
  double area() const;
  Vec2 center() const;  ///< of the bounding box
  bool contains(Vec2 p) const;
  /// Corners, edge midpoints and centre (1.5 % shrunk) lie inside, no reflex corner lies in it.
  bool contains(const Footprint& f) const;
  double distance_to_walls(Vec2 p) const;

 private:
  std::vector<Vec2> corners_;
};

}  // namespace switchyard::scan
