#include "domains/diffusion/vae/attention.h"

#include <ATen/ops/scaled_dot_product_attention.h>

#include "core/base/op_timer.h"

namespace switchyard {

VaeAttention::VaeAttention(int64_t channels, const VaeNorm& norm, int64_t heads)
    : heads_(heads),
      norm_(&emplace_child<GroupNorm>("group_norm", norm.groups, channels, norm.eps)),
      q_(&emplace_child<Linear>("to_q", channels, channels)),
      k_(&emplace_child<Linear>("to_k", channels, channels)),
      v_(&emplace_child<Linear>("to_v", channels, channels)),
      out_(&emplace_child<Linear>("to_out.0", channels, channels)) {
  check(heads > 0 && channels % heads == 0, "VAE attention", "heads: got ", heads,
        ", expected a divisor of ", channels, " channels");
}

at::Tensor VaeAttention::forward(const at::Tensor& x_BCHW) const {
  TimedScope scope("attention");
  const int64_t batch = x_BCHW.size(0), channels = x_BCHW.size(1);
  const auto pixels_BNC = norm_->forward(x_BCHW).flatten(2).transpose(1, 2);
  const auto by_head = [&](const Linear* linear) {
    return linear->forward(pixels_BNC).view({batch, -1, heads_, channels / heads_}).transpose(1, 2);
  };
  const auto out = at::scaled_dot_product_attention(by_head(q_), by_head(k_), by_head(v_));
  const auto out_BNC = out_->forward(out.transpose(1, 2).reshape({batch, -1, channels}));
  return x_BCHW + out_BNC.transpose(1, 2).view_as(x_BCHW);
}

}  // namespace switchyard
