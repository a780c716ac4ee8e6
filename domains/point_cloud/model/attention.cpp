#include "domains/point_cloud/model/attention.h"

#include <ATen/ops/scaled_dot_product_attention.h>
#include "core/base/step_timer.h"

namespace switchyard {

SerializedAttention::SerializedAttention(int64_t channels, int64_t heads, int64_t patch_size,
                                         PatchMode mode, std::unique_ptr<SubLayer> proj)
    : heads_(heads), patch_size_(patch_size), mode_(mode) {
  check(heads >= 1 && channels % heads == 0, "attention", "heads: got ", heads, " for ", channels,
        " channels, expected a divisor");
  qkv_ = &emplace_child<Linear>("qkv", channels, 3 * channels);
  proj_ = &add_child("proj", std::move(proj));
}

at::Tensor SerializedAttention::attend(const at::Tensor& x_NC, PointLevel& level,
                                       int64_t row) const {
  const int64_t channels = x_NC.size(1), width = channels / heads_;
  const auto& gather = level.gather(row, patch_size_, mode_);
  TimedScope scope("attention");
  const auto slots = qkv_->forward(x_NC).index_select(0, gather.point_of_slot);
  if (gather.groups.empty()) return slots.narrow(1, 0, channels);  // no voxel, no patch
  std::vector<at::Tensor> parts;
  int64_t begin = 0;
  for (const auto& group : gather.groups) {
    const int64_t rows = group.count * group.length;
    // [patches, length, 3, heads, width] -> 3 x [patches, heads, length, width]
    const auto qkv = slots.narrow(0, begin, rows)
                         .view({group.count, group.length, 3, heads_, width})
                         .permute({2, 0, 3, 1, 4});
    const auto out = at::scaled_dot_product_attention(qkv[0], qkv[1], qkv[2]);
    parts.push_back(out.transpose(1, 2).reshape({rows, channels}));
    begin += rows;
  }
  const auto out = parts.size() == 1 ? parts[0] : at::cat(parts);
  return out.index_select(0, gather.slot_of_point);
}

at::Tensor SerializedAttention::forward(const at::Tensor& x_NC, PointLevel& level, int64_t row,
                                        ForwardContext& context) {
  return proj_->forward(attend(x_NC, level, row), context);
}

}  // namespace switchyard
