#include "domains/point_cloud/model/segmentor.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/tensor.h>

#include "domains/point_cloud/model/conditions.h"

namespace switchyard {

PointSegmentor::PointSegmentor(const Ptv3Params& params, std::unique_ptr<SegmentationHead> head)
    : params_(params) {
  check(!params.dec_depths.empty() || params.enc_depths.size() == 1, "model.dec_depths",
        "got an empty list, expected a decoder: labels are per input voxel");
  backbone_ = &emplace_child<Ptv3>("backbone", params);
  if (params.context_channels > 0) {
    embedding_table_ = &add_parameter(
        "embedding_table.weight", {params.conditions, params.context_channels}, Init::normal(1));
  }
  head_ = &add_child("", std::move(head));
}

PointSegmentor::PointSegmentor(const Ptv3Params& params, int64_t classes)
    : PointSegmentor(params, std::make_unique<LinearHead>(params.out_channels(), classes)) {}

bool PointSegmentor::uses_conditions() const {
  return params_.uses_conditions() || embedding_table_ || head_->by_condition();
}

PointSegmentor::Output PointSegmentor::run(const PointInput& input, ForwardContext& context,
                                           const PointHooks& hooks) {
  if (embedding_table_) {
    group_conditions(context.condition, input.offset, params_.conditions, "segmentor");
    const auto rows = at::tensor(context.condition, at::kLong).to(embedding_table_->device());
    context.cond = embedding_table_->index_select(0, rows);
  }
  Output out{backbone_->forward(input, context, hooks), {}};
  out.parts =
      apply_head(*head_, out.backbone.feat_NC, input.offset, context.condition, params_.conditions);
  return out;
}

at::Tensor PointSegmentor::forward(const PointInput& input, ForwardContext& context,
                                   const PointHooks& hooks) {
  return join_logits(run(input, context, hooks).parts);
}

std::vector<LogitPart> apply_head(const SegmentationHead& head, const at::Tensor& feat_NC,
                                  const std::vector<int64_t>& offset,
                                  const std::vector<int64_t>& condition, int64_t conditions) {
  if (!head.by_condition()) return {{0, {}, head.forward(feat_NC, 0)}};
  std::vector<LogitPart> parts;
  for (const auto& group : group_conditions(condition, offset, conditions, "segmentor")) {
    const auto index = rows_of_clouds(group.clouds, offset).to(feat_NC.device());
    parts.push_back(
        {group.condition, index, head.forward(feat_NC.index_select(0, index), group.condition)});
  }
  return parts;
}

at::Tensor join_logits(const std::vector<LogitPart>& parts) {
  if (!parts[0].index_M.defined()) return parts[0].logits_MK;
  std::vector<at::Tensor> index, logits;
  for (const auto& part : parts) {
    check(part.logits_MK.size(1) == parts[0].logits_MK.size(1), "segmentor",
          "classes of condition ", part.condition, ": got ", part.logits_MK.size(1), ", expected ",
          parts[0].logits_MK.size(1), " as for condition ", parts[0].condition);
    index.push_back(part.index_M);
    logits.push_back(part.logits_MK);
  }
  return at::cat(logits).index_select(0, at::cat(index).argsort());
}

at::Tensor mean_over_parts(
    const std::vector<LogitPart>& parts, const at::Tensor& label_N,
    const std::function<at::Tensor(const at::Tensor&, const at::Tensor&)>& criterion) {
  at::Tensor sum;
  for (const auto& part : parts) {
    const auto label = part.index_M.defined() ? label_N.index_select(0, part.index_M) : label_N;
    const auto loss = criterion(part.logits_MK, label);
    sum = sum.defined() ? sum + loss : loss;
  }
  return parts.size() == 1 ? sum : sum / static_cast<double>(parts.size());
}

}  // namespace switchyard
