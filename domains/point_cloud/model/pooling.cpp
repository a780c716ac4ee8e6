#include "domains/point_cloud/model/pooling.h"

#include <ATen/ops/gelu.h>
#include "core/base/step_timer.h"

namespace switchyard {

SerializedPooling::SerializedPooling(int64_t in, int64_t out, int64_t stride, Reduction reduction,
                                     BatchNormConfig norm)
    : stride_(stride),
      reduction_(reduction),
      proj_(&emplace_child<Linear>("proj", in, out)),
      norm_(&emplace_child<BatchNorm>("norm.0", out, norm.eps, norm.momentum)) {}

at::Tensor SerializedPooling::forward(PointState& state, const std::vector<int64_t>& rows,
                                      ForwardContext& context) {
  TimedScope scope("pooling");
  const PooledLevel pooled = pool_level(*state.level, stride_, rows);
  const auto reduced =
      segment_reduce_rows(proj_->forward(state.feat_NC), pooled.member_ML, reduction_);
  state = {pooled.level, at::gelu(norm_->forward(reduced)), {}};
  context.descend(pooled.level->tokens(pooled.cluster));
  return pooled.cluster;
}

SerializedUnpooling::SerializedUnpooling(int64_t in, int64_t skip, int64_t out,
                                         BatchNormConfig norm)
    : proj_(&emplace_child<Linear>("proj.0", in, out)),
      skip_(nullptr),
      proj_norm_(&emplace_child<BatchNorm>("proj.1", out, norm.eps, norm.momentum)) {
  skip_ = &emplace_child<Linear>("proj_skip.0", skip, out);
  skip_norm_ = &emplace_child<BatchNorm>("proj_skip.1", out, norm.eps, norm.momentum);
}

SerializedUnpooling::Sum SerializedUnpooling::forward(const at::Tensor& child_MC,
                                                      const at::Tensor& parent_NC,
                                                      const at::Tensor& cluster_N) {
  const auto up = at::gelu(proj_norm_->forward(proj_->forward(child_MC)));
  const auto skip = at::gelu(skip_norm_->forward(skip_->forward(parent_NC)));
  return {skip + up.index_select(0, cluster_N), skip};
}

}  // namespace switchyard
