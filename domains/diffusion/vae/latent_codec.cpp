#include "domains/diffusion/vae/latent_codec.h"

#include <ATen/core/grad_mode.h>

#include "core/config/yaml.h"
#include "core/io/sha256.h"
#include "core/train/load_weights.h"
#include "datasets/image/normalize.h"
#include "domains/diffusion/vae/bare_vae.h"
#include "domains/diffusion/vae/posterior.h"

namespace switchyard {
namespace fs = std::filesystem;
namespace {

std::string id_of(const AutoencoderKl& vae) {
  Sha256 sum;
  for (const auto& [name, tensor] : weights_of(vae)) {
    const auto value = tensor.detach().to(at::kCPU, at::kFloat).contiguous();
    sum.update(cat(name, " ", to_text(value.sizes().vec()), "\n"));
    sum.update(std::as_bytes(
        std::span(value.const_data_ptr<float>(), static_cast<size_t>(value.numel()))));
  }
  return sum.update(cat("scaling_factor ", vae.params().scaling_factor)).hex();
}

/// A run folder's own model.
ConfigNode model_of(const fs::path& path, const ConfigNode& given) {
  const fs::path config = path / "config.yaml";
  return fs::exists(config) ? load_yaml(config).at("model") : given;
}

}  // namespace

LatentCodec::LatentCodec(std::unique_ptr<AutoencoderKl> vae)
    : vae_(std::move(vae)), id_(id_of(*vae_)) {
  vae_->train(false);
}

LatentCodec LatentCodec::open(const fs::path& path, const ConfigNode& model) {
  auto vae = bare_vae(model_of(path, model));
  load_weights(*vae, path, /*strict=*/true, /*use_ema=*/true);
  return LatentCodec(std::move(vae));
}

void LatentCodec::to(at::Device device) {
  vae_->to(device, at::kFloat);
  device_ = device;
}

at::Tensor LatentCodec::moments(const at::Tensor& image_BCHW) const {
  const at::NoGradGuard no_grad;
  return vae_->encode(normalize_image(image_BCHW, "half").to(device_));
}

at::Tensor LatentCodec::latent(const at::Tensor& moments, const at::Tensor& noise) const {
  return VaePosterior(moments).sample(noise) * params().scaling_factor;
}

at::Tensor LatentCodec::decode(const at::Tensor& latent) const {
  const at::NoGradGuard no_grad;
  return vae_->decode(latent / params().scaling_factor);
}

at::Tensor LatentCodec::pictures(const at::Tensor& latent) const {
  return to_uint8(decode(latent), "dit");
}

}  // namespace switchyard
