#include "domains/diffusion/vae/decoder.h"

#include <ATen/ops/silu.h>

namespace switchyard {

VaeDecoder::VaeDecoder(const VaeParams& p) {
  const std::vector<int64_t> widths(p.block_out_channels.rbegin(), p.block_out_channels.rend());
  conv_in_ = &emplace_child<Conv2d>("conv_in", p.latent_channels, widths.front(), 3, 1, 1);
  for (size_t i = 0; i < widths.size(); ++i)
    up_.push_back(&emplace_child<VaeUpBlock>(cat("up_blocks.", i), widths[i - (i > 0)], widths[i],
                                             p.layers_per_block + 1, p.norm(),
                                             i + 1 < widths.size()));
  mid_ = &emplace_child<VaeMidBlock>("mid_block", widths.front(), p.norm(), p.mid_block_attention);
  norm_out_ =
      &emplace_child<GroupNorm>("conv_norm_out", p.norm_num_groups, widths.back(), p.norm_eps);
  conv_out_ = &emplace_child<Conv2d>("conv_out", widths.back(), p.out_channels, 3, 1, 1);
}

at::Tensor VaeDecoder::forward(const at::Tensor& latent_BZHW) const {
  auto h = mid_->forward(conv_in_->forward(latent_BZHW));
  for (const VaeUpBlock* block : up_) h = block->forward(h);
  return conv_out_->forward(at::silu(norm_out_->forward(h)));
}

}  // namespace switchyard
