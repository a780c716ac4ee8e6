#pragma once
// random_jitter, point_clip: every coordinate on its own.

#include "datasets/point_cloud/transforms/rows.h"
#include "datasets/point_cloud/transforms/transform.h"

namespace switchyard {

/// Adds clip(sigma * noise, -clip, clip); `noise_N3`: f64 standard normal draws. In place.
void jitter(const at::Tensor& coord_N3, const at::Tensor& noise_N3, double sigma, double clip);
/// Clamps coordinates to the box: points outside are moved onto its faces, none is removed. In
/// place.
void point_clip(const at::Tensor& coord_N3, const Box& box);

void register_jitter();

}  // namespace switchyard
