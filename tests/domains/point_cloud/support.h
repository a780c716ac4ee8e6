#pragma once
// Small clouds and nets shared by the tests of the point-cloud modality.

#include "domains/point_cloud/model/ptv3.h"

namespace switchyard::test {

/// Voxels on a few planes, as scans have them: `clouds` times `n`, five features.
PointInput scan_like(int64_t clouds, int64_t n);
/// The demo's net, dense.
Ptv3Params scan_demo();
/// Two stages of eight channels, with four experts at attn_out_proj where `moe` holds.
Ptv3Params small_ptv3(bool moe);

}  // namespace switchyard::test
