#pragma once

#include "core/train/weight_names.h"
#include "domains/diffusion/vae/decoder.h"
#include "domains/diffusion/vae/encoder.h"

namespace switchyard {

/// AutoencoderKL (Rombach et al. 2022, arXiv 2112.10752) with diffusers' tensor names: encoder,
/// decoder, quant_conv, post_quant_conv. Files may have other names too (names.h).
class AutoencoderKl : public Module, public WeightNames {
 public:
  /// Errors: those of VaeParams::validate().
  explicit AutoencoderKl(const VaeParams& params);

  /// Images [B, C, H, W], about -1 .. 1 -> moments [B, 2z, H / f, W / f] of the posterior (see
  /// VaePosterior), not scaled. Errors: channels, sides that f does not divide.
  at::Tensor encode(const at::Tensor& image_BCHW) const;
  /// Latents [B, z, h, w], not scaled -> images [B, C, f h, f w], about -1 .. 1. Errors: channels.
  at::Tensor decode(const at::Tensor& latent_BZHW) const;
  const VaeParams& params() const { return params_; }

  /// diffusers, ldm.
  std::vector<std::string> schemes() const override;
  NamedTensors to_own(const NamedTensors& tensors, std::string& note) const override;
  NamedTensors to_scheme(const NamedTensors& tensors, const std::string& scheme) const override;

 private:
  VaeParams params_;
  VaeEncoder* encoder_;
  VaeDecoder* decoder_;
  Conv2d *quant_conv_ = nullptr, *post_quant_conv_ = nullptr;
};

}  // namespace switchyard
