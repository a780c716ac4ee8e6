#pragma once
// Augmentations of point clouds, as lists in a config:
//   transforms: [{type: random_rotate, axis: z}, {type: grid_sample, grid_size: 0.02}, ...]
// Definitions and defaults are those of Point-MoE's and Pointcept's training recipes (arXiv
// 2505.23926). Every file has the transform as plain functions of the numbers drawn, which the
// golden cases call, and a class that draws them.

#include "core/base/registry.h"
#include "datasets/dataset.h"

namespace switchyard {

class PointTransform {
 public:
  virtual ~PointTransform() = default;
  /// Changes the sample. Its coord, origin, color and normal are private [N, 3] f32 or f64 tensors
  /// that may be written in place; other tensors are replaced, never written. Errors name the
  /// sample.
  virtual void apply(Sample& sample, RandomStream& stream) const = 0;
  /// The result depends on the stream.
  virtual bool random() const { return true; }
};

Registry<PointTransform>& point_transforms();

/// Adds all transforms of this folder. Calling it again does nothing.
void register_point_transforms();

}  // namespace switchyard
