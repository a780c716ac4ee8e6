#pragma once
// Triangulation of planar polygons by ear clipping (convex ones take the same result as a fan).

#include <span>
#include <vector>

#include "datasets/point_cloud/scan/vec3.h"

namespace switchyard::scan {

/// Corner triples (indices into `corners`), n - 2 of them for n >= 3, else none. Never fails:
/// a self-crossing polygon gets some triangulation. Cost O(n^2) for usual polygons, O(n^3) at
/// worst.
std::vector<std::array<int, 3>> triangulate(std::span<const Vec3> corners);

}  // namespace switchyard::scan
