#pragma once

#include "domains/diffusion/vae/blocks.h"

namespace switchyard {

/// Latents [B, latent_channels, h, w] -> images [B, out_channels, f h, f w], f = 2^(levels - 1).
/// Every level has one resnet more than the encoder's. Published: conv_in, up_blocks.<i>, mid_block
/// (which is passed before them), conv_norm_out, conv_out.
class VaeDecoder : public Module {
 public:
  explicit VaeDecoder(const VaeParams& params);
  at::Tensor forward(const at::Tensor& latent_BZHW) const;

 private:
  Conv2d* conv_in_;
  std::vector<VaeUpBlock*> up_;
  VaeMidBlock* mid_;
  GroupNorm* norm_out_;
  Conv2d* conv_out_;
};

}  // namespace switchyard
