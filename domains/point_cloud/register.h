#pragma once

namespace switchyard {

/// Task "point_cloud_segmentation" and the golden kinds of set point_moe.
void register_point_cloud();

}  // namespace switchyard
