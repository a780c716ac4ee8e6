#include "domains/point_cloud/model/point_norm.h"

#include <ATen/ops/silu.h>

#include "core/base/text.h"
#include "domains/point_cloud/model/conditions.h"

namespace switchyard {

PointNorm::PointNorm(int64_t channels, const PointNormConfig& config) {
  const auto& prompt = config.prompt;
  if (!prompt || !prompt->decouple) {
    norms_.push_back(&add_norm(prompt ? "norm" : "", channels, config));
  } else {
    check(prompt->conditions >= 1, "pdnorm", "conditions: got ", prompt->conditions,
          ", expected at least 1");
    for (int64_t c = 0; c < prompt->conditions; ++c)
      norms_.push_back(&add_norm("norm." + to_text(c), channels, config));
  }
  if (prompt && prompt->adaptive)
    modulation_ = &emplace_child<Linear>("modulation.1", prompt->context_channels, 2 * channels);
}

Norm& PointNorm::add_norm(const std::string& name, int64_t channels,
                          const PointNormConfig& config) {
  const bool affine = !config.prompt || config.prompt->affine;
  if (config.kind == PointNormConfig::Kind::Layer)
    return emplace_child<LayerNorm>(name, channels, config.eps, affine);
  return emplace_child<BatchNorm>(name, channels, config.eps, config.momentum, affine);
}

at::Tensor PointNorm::by_condition(const at::Tensor& x_NC, const std::vector<int64_t>& offset,
                                   const ForwardContext& context) {
  const auto groups =
      group_conditions(context.condition, offset, static_cast<int64_t>(norms_.size()), "pdnorm");
  const auto norm_of = [&](const ConditionGroup& group) -> Norm& {
    return *norms_[static_cast<size_t>(group.condition)];
  };
  if (groups.size() == 1) return norm_of(groups[0]).forward(x_NC);
  std::vector<at::Tensor> clouds(context.condition.size());
  for (const auto& group : groups) {
    std::vector<at::Tensor> parts;
    std::vector<int64_t> lengths;
    for (const int64_t b : group.clouds) {
      const auto at = static_cast<size_t>(b);
      lengths.push_back(offset[at + 1] - offset[at]);
      parts.push_back(x_NC.narrow(0, offset[at], lengths.back()));
    }
    const auto normed = norm_of(group).forward(at::cat(parts)).split_with_sizes(lengths);
    for (size_t i = 0; i < normed.size(); ++i)
      clouds[static_cast<size_t>(group.clouds[i])] = normed[i];
  }
  return at::cat(clouds);
}

at::Tensor PointNorm::modulate(const at::Tensor& x_NC, const std::vector<int64_t>& offset,
                               const ForwardContext& context) const {
  const int64_t width = modulation_->weight.size(1);
  check(context.cond.defined() && context.cond.dim() == 2 && context.cond.size(1) == width,
        "pdnorm", "adaptive norm: got ",
        context.cond.defined() ? to_text(context.cond.sizes().vec()) : "no context",
        ", expected context vectors [clouds, ", width, "]");
  const auto both = spread_clouds(modulation_->forward(at::silu(context.cond)), offset).chunk(2, 1);
  return x_NC * (1 + both[1]) + both[0];
}

at::Tensor PointNorm::forward(const at::Tensor& x_NC, const std::vector<int64_t>& offset,
                              const ForwardContext& context) {
  const auto y =
      norms_.size() == 1 ? norms_[0]->forward(x_NC) : by_condition(x_NC, offset, context);
  return modulation_ ? modulate(y, offset, context) : y;
}

}  // namespace switchyard
