#pragma once

#include "domains/diffusion/vae/latent_codec.h"

namespace switchyard {

struct LatentPicturesParams {
  std::string path;
  ConfigNode model{std::string("kl_vae")};
  static void declare(Fields<LatentPicturesParams>& f);
};

/// Pictures of a task's latents, by the autoencoder that made them. It is opened when first needed.
class LatentPictures {
 public:
  /// `made_by`: what the data say about their latents, if anything. `scaling_factor`: what the task
  /// multiplies them by. Errors: another factor than that of the data.
  LatentPictures(const LatentPicturesParams& params, double scaling_factor,
                 std::optional<LatentInfo> made_by);

  /// An autoencoder is named.
  bool available() const { return !params_.path.empty(); }
  /// Scaled latents [B, z, h, w] on any device -> u8 [B, C, f h, f w] on the CPU. Errors: no
  /// autoencoder is named, or another than that which made the latents. Latents of a public name
  /// (latents.json) cannot be compared: a warning says so.
  at::Tensor of(const at::Tensor& latent_BZHW);

 private:
  LatentCodec open() const;

  LatentPicturesParams params_;
  double scaling_factor_;
  std::optional<LatentInfo> made_by_;
  std::optional<LatentCodec> codec_;
};

}  // namespace switchyard
