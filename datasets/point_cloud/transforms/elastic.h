#pragma once
// elastic_distortion: smooth random displacement fields.

#include "datasets/point_cloud/transforms/rows.h"
#include "datasets/point_cloud/transforms/transform.h"

namespace switchyard {

/// Nodes per axis of a noise grid over the cloud: floor(extent / granularity) + 3.
std::array<int64_t, 3> elastic_nodes(const Box& box, double granularity);

/// Adds magnitude * field. The field is `noise` [X, Y, Z, 3] f32 standard normal draws, blurred by
/// two rounds of a 3-tap box per axis (zero border, rounded to f32 after each), interpolated
/// between nodes `granularity` apart, the first one granularity before the lowest corner. In place.
/// Error: another size than elastic_nodes of this cloud.
void elastic(const at::Tensor& coord_N3, const at::Tensor& noise_XYZ3, double granularity,
             double magnitude);

void register_elastic();

}  // namespace switchyard
