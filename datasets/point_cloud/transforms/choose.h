#pragma once
// random_dropout, shuffle_point, sphere_crop: which points stay, and in which order.

#include "datasets/point_cloud/transforms/rows.h"
#include "datasets/point_cloud/transforms/transform.h"

namespace switchyard {

/// floor(points * share).
int64_t share_of(int64_t points, double share);

/// Keeps the `count` points nearest to point `center`, nearest first (of equal distances the lower
/// index); a cloud of at most `count` points stays as it is.
void sphere_crop(Sample& sample, int64_t center, int64_t count);

void register_choose();

}  // namespace switchyard
