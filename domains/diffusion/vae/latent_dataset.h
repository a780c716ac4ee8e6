#pragma once

#include "domains/diffusion/vae/latent_codec.h"

namespace switchyard {

/// Pictures as latents, for `switchyard pack`: key `image` u8 [C, H, W] of every sample becomes
/// `latent` and `latent_flip` f32 [2z, H / f, W / f], the moments of the picture and of its mirror
/// image (they are not each other's mirror images); other keys stay (promoe spec 4.1).
class LatentDataset : public Dataset {
 public:
  LatentDataset(std::unique_ptr<Dataset> pictures, LatentCodec codec);

  int64_t size() const override { return pictures_->size(); }
  SampleInfo sample_info(int64_t index) const override { return pictures_->sample_info(index); }
  /// Errors: no picture of the codec's channels with sides that its factor divides.
  Sample get(int64_t index, const Draw& draw) const override;
  /// The hash covers the pictures and the codec.
  const DatasetInfo& info() const override { return info_; }

 private:
  const at::Tensor& picture(const Sample& sample) const;

  std::unique_ptr<Dataset> pictures_;
  LatentCodec codec_;
  DatasetInfo info_;
};

}  // namespace switchyard
