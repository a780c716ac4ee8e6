#pragma once

namespace switchyard {

/// Kinds of the set point_moe: serialization, patches, attention, subm_conv, pooling, unpooling,
/// block, ptv3, ptmoe, losses, pdnorm, ppt, mixed_head, ptmoe_seg, augment, grid_sample, tta_vote.
void register_point_cloud_golden();

}  // namespace switchyard
