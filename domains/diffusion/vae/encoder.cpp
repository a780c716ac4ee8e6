#include "domains/diffusion/vae/encoder.h"

#include <ATen/ops/silu.h>

namespace switchyard {

VaeEncoder::VaeEncoder(const VaeParams& p) {
  const auto& widths = p.block_out_channels;
  conv_in_ = &emplace_child<Conv2d>("conv_in", p.in_channels, widths.front(), 3, 1, 1);
  for (size_t i = 0; i < widths.size(); ++i)
    down_.push_back(&emplace_child<VaeDownBlock>(cat("down_blocks.", i), widths[i - (i > 0)],
                                                 widths[i], p.layers_per_block, p.norm(),
                                                 i + 1 < widths.size()));
  mid_ = &emplace_child<VaeMidBlock>("mid_block", widths.back(), p.norm(), p.mid_block_attention);
  norm_out_ =
      &emplace_child<GroupNorm>("conv_norm_out", p.norm_num_groups, widths.back(), p.norm_eps);
  conv_out_ = &emplace_child<Conv2d>("conv_out", widths.back(), 2 * p.latent_channels, 3, 1, 1);
}

at::Tensor VaeEncoder::forward(const at::Tensor& image_BCHW) const {
  auto h = conv_in_->forward(image_BCHW);
  for (const VaeDownBlock* block : down_) h = block->forward(h);
  return conv_out_->forward(at::silu(norm_out_->forward(mid_->forward(h))));
}

}  // namespace switchyard
