#pragma once

namespace switchyard {

/// Golden kinds of set point_moe: serialization, patches, attention, subm_conv, pooling, unpooling,
/// block, ptv3, ptmoe, losses. (moe_layer: routers; metrics: eval.)
void register_point_cloud_golden();

}  // namespace switchyard
