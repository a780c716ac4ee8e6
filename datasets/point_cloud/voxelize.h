#pragma once
// From a raw scan to network input: grid sampling, estimated normals, ranked reflectance, crops.
// Every channel is computed by the same code for every sensor, so that none gives the sensor away
// (docs: domains/point_cloud/README.md).

#include "core/base/params.h"
#include "datasets/dataset.h"

namespace switchyard {

struct VoxelParams {
  double grid = 0.1;
  std::vector<std::string> channels = {"z", "normal", "refl"};
  std::string floor = "quantile";
  double height_scale = 1.5;
  int64_t crop_voxels = 3072;
  double scale_low = 0.92, scale_high = 1.08;
  bool rotate = true, mirror = true;

  static void declare(Fields<VoxelParams>& f);
  /// Number of feature channels.
  int64_t width() const;
  /// One name per feature channel: "z", "nx", ...
  std::vector<std::string> channel_names() const;
};

/// N voxels of one scan in rising order of their packed grid coordinate.
struct VoxelCloud {
  at::Tensor grid_coord;  ///< [N, 3] i64, >= 0, unique
  at::Tensor coord;       ///< [N, 3] f32, metres, of the chosen member
  at::Tensor feat;        ///< [N, channels] f32
  at::Tensor segment;     ///< [N] i64, label of the chosen member; -1 = ignore
  at::Tensor inverse;     ///< [points] i64, voxel of every input point; undefined for a crop
};

/// Whole scan, not augmented; the member of a voxel is drawn from `stream`.
/// Errors: coord missing or of a wrong shape, non-finite coordinates, extent over 2^20 cells.
VoxelCloud voxelize(const Sample& scan, const VoxelParams& params, RandomStream stream);
/// Augmented (rotation about z, mirror, scale) and cropped to the `crop_voxels` voxels nearest to a
/// random one, with a metric that prefers tall crops: dx^2 + dy^2 + dz^2 / 4.
VoxelCloud voxelize_train(const Sample& scan, const VoxelParams& params, RandomStream stream);

/// A cloud of one member per voxel, and which points of the scan they are.
struct VoxelFragment {
  VoxelCloud cloud;
  at::Tensor rows;  ///< [N] i64
};
/// Fragment i holds member i mod count of every voxel; together they hold every point. Normals are
/// those of the whole scan.
std::vector<VoxelFragment> voxelize_fragments(const Sample& scan, const VoxelParams& params);

/// Mean rank inside the scan, mapped to [-1, 1]; equal values share a rank. Removes scale, offset,
/// gamma and histogram, keeps the contrast between neighbours.
std::vector<float> rank_normalized(const std::vector<float>& values);

}  // namespace switchyard
