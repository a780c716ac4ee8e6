#include "domains/point_cloud/model/attention.h"

#include <ATen/ops/scaled_dot_product_attention.h>

#include <cmath>

#include "core/base/step_timer.h"
#include "core/moe/precision.h"

namespace switchyard {

SerializedAttention::SerializedAttention(const AttentionConfig& config,
                                         std::unique_ptr<SubLayer> proj)
    : config_(config) {
  check(config.heads >= 1 && config.channels % config.heads == 0, "attention", "heads: got ",
        config.heads, " for ", config.channels, " channels, expected a divisor");
  qkv_ = &emplace_child<Linear>("qkv", config.channels, 3 * config.channels, config.qkv_bias);
  proj_ = &add_child("proj", std::move(proj));
  if (config.enable_rpe)
    rpe_ = &emplace_child<RelativePosition>("rpe", config.heads, config.patch_size);
}

std::vector<SerializedAttention::Patch> SerializedAttention::split(const at::Tensor& x_NC,
                                                                   PointLevel& level,
                                                                   int64_t row) const {
  const auto& gather = level.gather(row, config_.patch_size, config_.mode);
  const auto slots = take_rows(qkv_->forward(x_NC), gather.point_of_slot);
  const auto grid =
      rpe_ ? level.grid().index_select(0, gather.point_of_slot.index()) : at::Tensor();
  std::vector<Patch> patches;
  int64_t begin = 0;
  for (const auto& group : gather.groups) {
    const int64_t rows = group.count * group.length;
    // [patches, length, 3, heads, width] -> 3 x [patches, heads, length, width]
    const auto qkv = slots.narrow(0, begin, rows)
                         .view({group.count, group.length, 3, config_.heads, -1})
                         .permute({2, 0, 3, 1, 4});
    patches.push_back({qkv[0], qkv[1], qkv[2], {}});
    if (rpe_) {
      patches.back().bias =
          rpe_->forward(grid.narrow(0, begin, rows).view({group.count, group.length, 3}));
    }
    begin += rows;
  }
  return patches;
}

at::Tensor SerializedAttention::softmax(const Patch& patch) const {
  const auto lift = [](const at::Tensor& x, bool up) { return up ? x.to(at::kFloat) : x; };
  const double scale =
      config_.qk_scale.value_or(1 / std::sqrt(static_cast<double>(patch.q.size(-1))));
  const auto q = lift(patch.q, config_.upcast_attention);
  const auto k = lift(patch.k, config_.upcast_attention);
  auto scores = at::matmul(q * scale, k.transpose(-2, -1));
  if (patch.bias.defined()) scores = scores + patch.bias;
  return at::softmax(lift(scores, config_.upcast_softmax), -1);
}

at::Tensor SerializedAttention::attend(const Patch& patch) const {
  if (config_.upcast_attention || config_.upcast_softmax) {
    const AutocastOff types_are_chosen;
    return at::matmul(softmax(patch).to(patch.v.scalar_type()), patch.v);
  }
  const auto bias =
      patch.bias.defined() ? std::optional(patch.bias.to(patch.q.scalar_type())) : std::nullopt;
  return at::scaled_dot_product_attention(patch.q, patch.k, patch.v, bias, 0, false,
                                          config_.qk_scale);
}

std::vector<at::Tensor> SerializedAttention::probabilities(const at::Tensor& x_NC,
                                                           PointLevel& level, int64_t row) const {
  std::vector<at::Tensor> out;
  for (const Patch& patch : split(x_NC, level, row)) out.push_back(softmax(patch));
  return out;
}

at::Tensor SerializedAttention::attend(const at::Tensor& x_NC, PointLevel& level,
                                       int64_t row) const {
  TimedScope scope("attention");
  std::vector<at::Tensor> parts;
  for (const Patch& patch : split(x_NC, level, row))
    parts.push_back(attend(patch).transpose(1, 2).reshape({-1, config_.channels}));
  if (parts.empty()) return x_NC;  // no voxel, no patch
  const auto out = parts.size() == 1 ? parts[0] : at::cat(parts);
  return take_rows(out, level.gather(row, config_.patch_size, config_.mode).slot_of_point);
}

at::Tensor SerializedAttention::forward(const at::Tensor& x_NC, PointLevel& level, int64_t row,
                                        ForwardContext& context) {
  return proj_->forward(attend(x_NC, level, row), context);
}

}  // namespace switchyard
