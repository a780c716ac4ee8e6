#pragma once
// How samples become clouds of voxels: by the demo's sampler (datasets/point_cloud/voxelize), which
// computes its channels, or as published, from the keys that the dataset's transforms left.

#include <memory>

#include "datasets/point_cloud/voxelize.h"

namespace switchyard {

class CloudInput {
 public:
  virtual ~CloudInput() = default;
  virtual std::vector<std::string> channel_names() const = 0;
  /// A training crop.
  virtual VoxelCloud train(const Sample& sample, RandomStream stream) const = 0;
  /// The whole cloud, one random member per voxel; has `inverse`.
  virtual VoxelCloud whole(const Sample& sample, RandomStream stream) const = 0;
  /// Labels of a training sample, for class weights: of the whole cloud, or of what the transforms
  /// left of it.
  virtual at::Tensor training_labels(const Sample& sample, RandomStream stream) const = 0;
  /// Clouds of one member per voxel that together hold every point.
  virtual std::vector<VoxelFragment> fragments(const Sample& sample) const = 0;
};

/// `features` empty: the demo's sampler. Otherwise the sample keys whose columns make up the input
/// (coord, color, normal, displacement, intensity), as published: training samples must come with
/// grid_coord from transform grid_sample; whole clouds are sampled at voxel.grid. Errors: an
/// unknown key.
std::unique_ptr<CloudInput> make_cloud_input(const VoxelParams& voxel,
                                             const std::vector<std::string>& features);

}  // namespace switchyard
