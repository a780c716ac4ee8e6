#include "domains/diffusion/vae/params.h"

namespace switchyard {

void VaeParams::declare(Fields<VaeParams>& f) {
  f.add("in_channels", &VaeParams::in_channels, "channels of an image", at_least(1));
  f.add("out_channels", &VaeParams::out_channels, "channels of its reconstruction", at_least(1));
  f.add("latent_channels", &VaeParams::latent_channels, "channels of the latent", at_least(1));
  f.add("block_out_channels", &VaeParams::block_out_channels,
        "width per level, finest first; each further level halves the side", at_least(1));
  f.add("layers_per_block", &VaeParams::layers_per_block,
        "residual blocks per level of the encoder; the decoder has one more", at_least(1));
  f.add("norm_num_groups", &VaeParams::norm_num_groups, "groups of every group norm", at_least(1));
  f.add("norm_eps", &VaeParams::norm_eps, "added to every variance", at_least(0));
  f.add("use_quant_conv", &VaeParams::use_quant_conv, "1 x 1 convolutions around the latent");
  f.add("mid_block_attention", &VaeParams::mid_block_attention,
        "attention over all pixels of the coarsest level");
  f.add("scaling_factor", &VaeParams::scaling_factor,
        "what a latent is multiplied by for training (1 / its standard deviation)", at_least(1e-6));
}

void VaeParams::validate() const {
  check(levels() >= 1 && levels() <= 8, "model.block_out_channels", "got ", levels(),
        " levels, expected 1 .. 8");
  for (const int64_t width : block_out_channels)
    check(width % norm_num_groups == 0, "model.block_out_channels", "got ", width,
          ", expected multiples of norm_num_groups ", norm_num_groups);
}

}  // namespace switchyard
