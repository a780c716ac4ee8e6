#pragma once

#include "core/nn/linear.h"
#include "core/nn/norm.h"
#include "domains/point_cloud/model/hooks.h"
#include "domains/point_cloud/model/point_level.h"

namespace switchyard {

struct PoolingShape {
  int64_t in = 32, out = 64, stride = 2;
  std::string reduce = "max";  ///< max, mean, min, sum
  double bn_eps = 1e-3, bn_momentum = 0.01;
};

/// Merges the voxels of a cell of `stride` = 2^m along the curves (spec point-moe 1.7): feat =
/// GELU(BN(reduce(Linear(feat)))). Published tensors: proj, norm.0.
class SerializedPooling : public Module {
 public:
  explicit SerializedPooling(const PoolingShape& shape);
  /// `permutation`: row permutation of the new orders; empty: none.
  PointLevel forward(const PointLevel& parent, const std::vector<int64_t>& permutation);

 private:
  PoolingShape shape_;
  Linear& proj_;
  BatchNorm& norm_;
};

/// feat = skip + up[cluster], sparse_feat = skip, skip = GELU(BN(Linear(parent))), up likewise from the
/// child. Published tensors: proj.{0,1}, proj_skip.{0,1}.
class SerializedUnpooling : public Module {
 public:
  SerializedUnpooling(int64_t in, int64_t skip, int64_t out, double bn_eps, double bn_momentum);
  /// {feat, sparse_feat} of the parent.
  std::pair<at::Tensor, at::Tensor> forward(const at::Tensor& child_feat, const at::Tensor& parent_feat,
                                            const at::Tensor& cluster);

 private:
  Linear& proj_;
  BatchNorm& proj_norm_;
  Linear& skip_;
  BatchNorm& skip_norm_;
};

}  // namespace switchyard
