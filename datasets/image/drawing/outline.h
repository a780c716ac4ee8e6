#pragma once
// Outlines of simple shapes as signed distances.

#include <string>
#include <vector>

namespace switchyard::drawing {

struct Point {
  double x = 0, y = 0;  ///< y grows downwards
};

/// circle, square, triangle, star, cross, ring, heart, crescent.
const std::vector<std::string>& shape_names();

/// Fills about the unit circle, upright. Errors: unknown name.
class Outline {
 public:
  explicit Outline(const std::string& name);
  /// Negative inside.
  double distance(Point p) const;

 private:
  std::string name_;
  std::vector<Point> corners_;  ///< of polygons, in order
};

}  // namespace switchyard::drawing
