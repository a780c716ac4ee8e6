#include "domains/diffusion/vae/autoencoder_kl.h"

#include "domains/diffusion/vae/names.h"

namespace switchyard {
namespace {

const VaeParams& valid(const VaeParams& params) {
  params.validate();
  return params;
}

}  // namespace

AutoencoderKl::AutoencoderKl(const VaeParams& params)
    : params_(valid(params)),
      encoder_(&emplace_child<VaeEncoder>("encoder", params)),
      decoder_(&emplace_child<VaeDecoder>("decoder", params)) {
  if (!params.use_quant_conv) return;
  const int64_t z = params.latent_channels;
  quant_conv_ = &emplace_child<Conv2d>("quant_conv", 2 * z, 2 * z, 1);
  post_quant_conv_ = &emplace_child<Conv2d>("post_quant_conv", z, z, 1);
}

at::Tensor AutoencoderKl::encode(const at::Tensor& image) const {
  const int64_t factor = params_.factor();
  check(image.dim() == 4 && image.size(1) == params_.in_channels && image.size(2) % factor == 0 &&
            image.size(3) % factor == 0 && image.size(2) * image.size(3) > 0,
        "VAE encoder", "image: got ", to_text(image.sizes().vec()), ", expected [B, ",
        params_.in_channels, ", H, W], H and W multiples of ", factor);
  const auto moments = encoder_->forward(image);
  return quant_conv_ ? quant_conv_->forward(moments) : moments;
}

at::Tensor AutoencoderKl::decode(const at::Tensor& latent) const {
  check(latent.dim() == 4 && latent.size(1) == params_.latent_channels &&
            latent.size(2) * latent.size(3) > 0,
        "VAE decoder", "latent: got ", to_text(latent.sizes().vec()), ", expected [B, ",
        params_.latent_channels, ", h, w]");
  return decoder_->forward(post_quant_conv_ ? post_quant_conv_->forward(latent) : latent);
}

std::vector<std::string> AutoencoderKl::schemes() const { return {"diffusers", "ldm"}; }

NamedTensors AutoencoderKl::to_own(const NamedTensors& tensors, std::string& note) const {
  return own_vae_names(views(), params_.levels(), tensors, note);
}

NamedTensors AutoencoderKl::to_scheme(const NamedTensors& tensors,
                                      const std::string& scheme) const {
  return scheme == "ldm" ? ldm_vae_names(tensors, params_.levels()) : tensors;
}

}  // namespace switchyard
