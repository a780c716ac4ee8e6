#pragma once
// Local averaging of point clouds: rounds edges as surface reconstruction does.

#include <vector>

#include "datasets/point_cloud/scan/vec3.h"

namespace switchyard::scan {

/// Replaces each point by the mean of its `count` nearest (itself included) within 2 x `radius`,
/// weighted by exp(-(d / radius)^2). Metres. Deterministic.
std::vector<Vec3> neighbor_mean(const std::vector<Vec3>& points, int count, double radius);

}  // namespace switchyard::scan
