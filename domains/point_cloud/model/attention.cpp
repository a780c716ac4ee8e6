#include "domains/point_cloud/model/attention.h"

#include <ATen/ops/index_select.h>
#include <ATen/ops/scaled_dot_product_attention.h>

#include <cmath>

#include "core/base/step_timer.h"

namespace switchyard {

SerializedAttention::SerializedAttention(const AttentionShape& shape, std::unique_ptr<SubLayer> projection)
    : shape_(shape),
      qkv_(emplace_child<Linear>("qkv", shape.channels, 3 * shape.channels, shape.qkv_bias)),
      proj_(add_child("proj", std::move(projection))) {
  check(shape.channels % shape.heads == 0, "attention", "channels do not split into heads: got ", shape.channels, " and ",
        shape.heads);
}

at::Tensor patch_attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const at::Tensor& cu_seqlens,
                           double scale) {
  const int64_t *start = cu_seqlens.data_ptr<int64_t>(), patches = cu_seqlens.size(0) - 1;
  std::vector<at::Tensor> out;
  for (int64_t first = 0; first < patches;) {  // runs of patches of equal length are one batch
    const int64_t length = start[first + 1] - start[first];
    int64_t last = first + 1;
    while (last < patches && start[last + 1] - start[last] == length) ++last;
    const auto batch = [&](const at::Tensor& x) {
      return x.slice(0, start[first], start[last]).view({last - first, length, x.size(1), x.size(2)}).transpose(1, 2);
    };
    const at::Tensor y = at::scaled_dot_product_attention(batch(q), batch(k), batch(v), {}, 0.0, false, scale);
    out.push_back(y.transpose(1, 2).reshape({-1, q.size(1), q.size(2)}));
    first = last;
  }
  if (out.empty()) return at::zeros_like(q);
  return out.size() == 1 ? out.front() : at::cat(out);
}

at::Tensor SerializedAttention::forward(const at::Tensor& x_NC, PointLevel& level, ForwardContext& context,
                                        const PointHooks& hooks, const std::string& name) {
  const auto& gather = level.gather(shape_.order_row, shape_.patch_size, shape_.mode, x_NC.device());
  const int64_t width = shape_.channels / shape_.heads;
  at::Tensor mixed;
  {
    TimedScope scope("attention");
    const at::Tensor qkv = qkv_.forward(x_NC).index_select(0, gather.slot_point).view({-1, 3, shape_.heads, width});
    const double scale = shape_.qk_scale.value_or(1 / std::sqrt(static_cast<double>(width)));
    const at::Tensor slots = patch_attention(qkv.select(1, 0), qkv.select(1, 1), qkv.select(1, 2),
                                             level.patches(shape_.patch_size, shape_.mode).cu_seqlens, scale);
    mixed = slots.reshape({slots.size(0), shape_.channels}).index_select(0, gather.point_slot);
  }
  hooks.see(name + "/pre_proj", mixed);
  return proj_.forward(mixed, context);
}

}  // namespace switchyard
