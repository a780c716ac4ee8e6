#pragma once

#include <filesystem>

#include "datasets/dataset.h"
#include "domains/diffusion/vae/autoencoder_kl.h"

namespace switchyard {

/// A trained autoencoder between pictures and the latents that a diffusion model sees. Builds no
/// graph.
class LatentCodec {
 public:
  /// Sets the autoencoder to evaluation.
  explicit LatentCodec(std::unique_ptr<AutoencoderKl> vae);
  /// `path`: a file of weights (any published naming), a checkpoint folder or a run folder, whose
  /// averaged weights are taken where it has some. `model`: node {type: kl_vae, ...}; a run folder
  /// brings its own. Errors: no kl_vae, weights that do not fit it.
  static LatentCodec open(const std::filesystem::path& path, const ConfigNode& model);

  void to(at::Device device);

  /// Pictures u8 [B, C, H, W] -> moments f32 [B, 2z, H / f, W / f] of their posteriors, not scaled
  /// (VaePosterior). Errors: another type, AutoencoderKl::encode()'s.
  at::Tensor moments(const at::Tensor& image_BCHW) const;
  /// Moments, standard normal noise [B, z, h, w] -> scaled latents as a diffusion model is trained
  /// on: a draw of the posterior x scaling_factor.
  at::Tensor latent(const at::Tensor& moments_B2ZHW, const at::Tensor& noise_BZHW) const;
  /// Scaled latents [B, z, h, w] -> images f32 [B, C, f h, f w], about -1 .. 1.
  at::Tensor decode(const at::Tensor& latent_BZHW) const;
  /// The same as u8, by the rule "dit" (datasets/image/normalize.h).
  at::Tensor pictures(const at::Tensor& latent_BZHW) const;

  const VaeParams& params() const { return vae_->params(); }
  /// What latents of this codec are marked with: SHA-256 of its weights in fp32 (names, shapes and
  /// values, in published order) and of its scaling factor.
  LatentInfo info() const { return {id_, params().scaling_factor, /*flip=*/true}; }

 private:
  std::unique_ptr<AutoencoderKl> vae_;
  std::string id_;
  at::Device device_ = at::kCPU;
};

}  // namespace switchyard
