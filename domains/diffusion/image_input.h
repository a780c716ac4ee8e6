#pragma once
// From a sample to what a diffusion model sees: pixels in -1 .. 1, or scaled latents of a KL-VAE.

#include "core/base/params.h"
#include "datasets/dataset.h"
#include "domains/diffusion/vae/posterior.h"

namespace switchyard {

struct ImageInputParams {
  std::string source = "image";
  bool flip = true;
  double scaling_factor = 0.18215;
  static void declare(Fields<ImageInputParams>& f);
};

class ImageInput {
 public:
  explicit ImageInput(const ImageInputParams& params) : params_(params) {}

  /// [C, S, S] f32 of a training visit: mirrored with probability 1/2 where `flip` is set; a latent
  /// is drawn anew from its posterior each time (promoe spec 4.1).
  at::Tensor train(const Sample& sample, RandomStream stream) const;
  /// As stored, never mirrored; a latent is the mean of its posterior.
  at::Tensor whole(const Sample& sample) const;
  /// Errors: the sample has no such key, a wrong type or no square of equal sides.
  const at::Tensor& stored(const Sample& sample, const std::string& key) const;
  bool latents() const { return params_.source == "latent"; }

 private:
  /// Of one image: [1, C, S, S].
  VaePosterior posterior_of(const Sample& sample, const std::string& key) const;

  ImageInputParams params_;
};

/// Standard normal draws, f32.
at::Tensor normal_tensor(at::IntArrayRef sizes, RandomStream stream);

}  // namespace switchyard
