#include "domains/diffusion/image_input.h"

#include <ATen/ops/empty.h>

#include "core/base/text.h"
#include "datasets/image/normalize.h"

namespace switchyard {

void ImageInputParams::declare(Fields<ImageInputParams>& f) {
  f.add("source", &ImageInputParams::source, "key of the samples: pixels, or cached latent moments",
        Choices{{"image", "latent"}});
  f.add("flip", &ImageInputParams::flip, "mirror half of the training visits");
  f.add("scaling_factor", &ImageInputParams::scaling_factor,
        "factor of latents, that of the VAE which made them", at_least(1e-6));
}

at::Tensor normal_tensor(at::IntArrayRef sizes, RandomStream stream) {
  at::Tensor out = at::empty(sizes, at::kFloat);
  float* value = out.mutable_data_ptr<float>();
  for (int64_t i = 0; i < out.numel(); ++i) value[i] = static_cast<float>(stream.normal());
  return out;
}

const at::Tensor& ImageInput::stored(const Sample& sample, const std::string& key) const {
  const auto found = sample.tensors.find(key);
  check(found != sample.tensors.end(), sample.info.uri, "has no '", key,
        "': task.input.source is '", params_.source, "'");
  const at::Tensor& value = found->second;
  const auto type = latents() ? at::kFloat : at::kByte;
  check(value.dim() == 3 && value.size(1) == value.size(2) && value.scalar_type() == type,
        sample.info.uri, key, ": got ", at::toString(value.scalar_type()), " ",
        to_text(value.sizes().vec()), ", expected ",
        latents() ? "f32 [2 C, S, S]" : "u8 [C, S, S]");
  return value;
}

VaePosterior ImageInput::posterior_of(const Sample& sample, const std::string& key) const {
  return VaePosterior(stored(sample, key).unsqueeze(0));
}

at::Tensor ImageInput::train(const Sample& sample, RandomStream stream) const {
  const bool mirrored = params_.flip && stream.child("flip").chance(.5);
  if (!latents()) {
    const auto pixels = normalize_image(stored(sample, "image"), "adm");
    return mirrored ? pixels.flip({2}) : pixels;
  }
  const auto posterior = posterior_of(sample, mirrored ? "latent_flip" : "latent");
  const auto noise = normal_tensor(posterior.mode().sizes(), stream.child("posterior"));
  return posterior.sample(noise)[0] * params_.scaling_factor;
}

at::Tensor ImageInput::whole(const Sample& sample) const {
  if (!latents()) return normalize_image(stored(sample, "image"), "adm");
  return posterior_of(sample, "latent").mode()[0] * params_.scaling_factor;
}

}  // namespace switchyard
