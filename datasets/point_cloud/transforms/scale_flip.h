#pragma once
// random_scale, random_flip.

#include "datasets/point_cloud/transforms/rows.h"
#include "datasets/point_cloud/transforms/transform.h"

namespace switchyard {

/// Multiplies the axes of positions. Normals stay as they are. In place.
void scale(Sample& sample, const Row3& factor);
/// Negates x and/or y of positions and of normals, where there are any. In place.
void flip(Sample& sample, bool x, bool y);

void register_scale_flip();

}  // namespace switchyard
