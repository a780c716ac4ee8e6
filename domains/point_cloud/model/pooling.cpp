#include "domains/point_cloud/model/pooling.h"

#include <ATen/ops/gelu.h>
#include "core/base/step_timer.h"

namespace switchyard {

SerializedPooling::SerializedPooling(int64_t in, int64_t out, int64_t stride, Reduction reduction,
                                     const PointNormConfig& norm)
    : stride_(stride),
      reduction_(reduction),
      proj_(&emplace_child<Linear>("proj", in, out)),
      norm_(&emplace_child<PointNorm>("norm.0", out, norm)) {}

RowIndex SerializedPooling::forward(PointState& state, const std::vector<int64_t>& rows,
                                    ForwardContext& context) {
  TimedScope scope("pooling");
  const PooledLevel pooled = pool_level(*state.level, stride_, rows);
  const auto reduced =
      segment_reduce_rows(proj_->forward(state.feat_NC), pooled.members, reduction_);
  state = {pooled.level, at::gelu(norm_->forward(reduced, pooled.level->offset(), context)), {}};
  context.descend(pooled.level->tokens(pooled.cluster.index()));
  return pooled.cluster;
}

SerializedUnpooling::SerializedUnpooling(int64_t in, int64_t skip, int64_t out,
                                         const PointNormConfig& norm)
    : proj_(&emplace_child<Linear>("proj.0", in, out)),
      skip_(nullptr),
      proj_norm_(&emplace_child<PointNorm>("proj.1", out, norm)) {
  skip_ = &emplace_child<Linear>("proj_skip.0", skip, out);
  skip_norm_ = &emplace_child<PointNorm>("proj_skip.1", out, norm);
}

SerializedUnpooling::Sum SerializedUnpooling::forward(const Side& child, const Side& parent,
                                                      const RowIndex& cluster,
                                                      const ForwardContext& context) {
  const auto up = at::gelu(proj_norm_->forward(proj_->forward(child.feat), child.offset, context));
  const auto skip =
      at::gelu(skip_norm_->forward(skip_->forward(parent.feat), parent.offset, context));
  return {skip + take_rows(up, cluster), skip};
}

}  // namespace switchyard
