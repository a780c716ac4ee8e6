#pragma once
// random_rotate, random_rotate_target: about an axis, by a random angle or one of a list.

#include <optional>

#include "datasets/point_cloud/transforms/rows.h"
#include "datasets/point_cloud/transforms/transform.h"

namespace switchyard {

/// Rotates positions about `center` (default: the middle of the box around coord) and normals,
/// where there are any, about zero. `axis`: x, y or z; a positive angle is counter-clockwise seen
/// from the positive axis. In place.
void rotate(Sample& sample, char axis, double radians, const std::optional<Row3>& center);

void register_rotate();

}  // namespace switchyard
