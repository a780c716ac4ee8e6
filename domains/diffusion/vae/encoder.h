#pragma once

#include "domains/diffusion/vae/blocks.h"

namespace switchyard {

/// Images [B, in_channels, H, W] -> [B, 2 latent_channels, H / f, W / f], f = 2^(levels - 1).
/// Published: conv_in, down_blocks.<i>, mid_block, conv_norm_out, conv_out.
class VaeEncoder : public Module {
 public:
  explicit VaeEncoder(const VaeParams& params);
  at::Tensor forward(const at::Tensor& image_BCHW) const;

 private:
  Conv2d* conv_in_;
  std::vector<VaeDownBlock*> down_;
  VaeMidBlock* mid_;
  GroupNorm* norm_out_;
  Conv2d* conv_out_;
};

}  // namespace switchyard
