#pragma once

#include "core/kernels/segment.h"
#include "core/nn/linear.h"
#include "core/nn/norm.h"
#include "domains/point_cloud/model/point_pass.h"

namespace switchyard {

struct BatchNormConfig {
  double eps = 1e-3, momentum = 0.01;
};

/// Serialized pooling (PTv3 section 4.3): GELU(BN(reduce(Linear x))) over the cells of the coarser
/// level. Published tensors: proj, norm.0. Moves the context's level stack down.
class SerializedPooling : public Module {
 public:
  SerializedPooling(int64_t in, int64_t out, int64_t stride, Reduction reduction,
                    BatchNormConfig norm);
  /// `rows`: order of the curves of the coarser level. Returns the cell of each finer voxel [N].
  at::Tensor forward(PointState& state, const std::vector<int64_t>& rows, ForwardContext& context);

 private:
  int64_t stride_;
  Reduction reduction_;
  Linear* proj_;
  BatchNorm* norm_;
};

/// skip = GELU(BN(Linear parent)), feat = skip + GELU(BN(Linear x))[cell]. Published tensors:
/// proj.{0,1}, proj_skip.{0,1}.
class SerializedUnpooling : public Module {
 public:
  SerializedUnpooling(int64_t in, int64_t skip, int64_t out, BatchNormConfig norm);
  struct Sum {
    at::Tensor feat_NC, skip_NC;
  };
  Sum forward(const at::Tensor& child_MC, const at::Tensor& parent_NC, const at::Tensor& cluster_N);

 private:
  Linear *proj_, *skip_;
  BatchNorm *proj_norm_, *skip_norm_;
};

}  // namespace switchyard
