#pragma once
// center_shift, random_shift: positions minus or plus one vector.

#include "datasets/point_cloud/transforms/rows.h"
#include "datasets/point_cloud/transforms/transform.h"

namespace switchyard {

/// Subtracts the middle of the bounding box in x and y and, with `apply_z`, the lowest z. In place.
void center_shift(Sample& sample, bool apply_z);
/// Adds `shift`. In place.
void translate(Sample& sample, const Row3& shift);

void register_shift();

}  // namespace switchyard
