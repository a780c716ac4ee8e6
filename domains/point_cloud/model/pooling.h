#pragma once

#include "core/kernels/segment.h"
#include "core/nn/linear.h"
#include "domains/point_cloud/model/point_norm.h"
#include "domains/point_cloud/model/point_pass.h"

namespace switchyard {

/// Serialized pooling (PTv3 section 4.3): GELU(BN(reduce(Linear x))) over the cells of the coarser
/// level. Published tensors: proj, norm.0. Moves the context's level stack down.
class SerializedPooling : public Module {
 public:
  SerializedPooling(int64_t in, int64_t out, int64_t stride, Reduction reduction,
                    const PointNormConfig& norm);
  /// `rows`: order of the curves of the coarser level. Returns the cell of each finer voxel [N].
  RowIndex forward(PointState& state, const std::vector<int64_t>& rows, ForwardContext& context);

 private:
  int64_t stride_;
  Reduction reduction_;
  Linear* proj_;
  PointNorm* norm_;
};

/// skip = GELU(BN(Linear parent)), feat = skip + GELU(BN(Linear child))[cell]. Published tensors:
/// proj.{0,1}, proj_skip.{0,1}.
class SerializedUnpooling : public Module {
 public:
  SerializedUnpooling(int64_t in, int64_t skip, int64_t out, const PointNormConfig& norm);
  struct Sum {
    at::Tensor feat_NC, skip_NC;
  };
  /// One resolution's features and the offset [B+1] of its clouds.
  struct Side {
    at::Tensor feat;
    const std::vector<int64_t>& offset;
  };
  Sum forward(const Side& child, const Side& parent, const RowIndex& cluster,
              const ForwardContext& context);

 private:
  Linear *proj_, *skip_;
  PointNorm *proj_norm_, *skip_norm_;
};

}  // namespace switchyard
