#include "domains/diffusion/vae/latent_pictures.h"

#include <ATen/ops/cat.h>

#include "core/base/log.h"

namespace switchyard {
namespace {

constexpr int64_t kAtOnce = 16;
constexpr size_t kIdLength = 64;  // of a LatentCodec

}  // namespace

void LatentPicturesParams::declare(Fields<LatentPicturesParams>& f) {
  f.add("path", &LatentPicturesParams::path,
        "run of an autoencoder, or file of weights, that turns latents into pictures; empty: none");
  f.add("model", &LatentPicturesParams::model, "kl_vae with its parameters, of a file of weights");
}

LatentPictures::LatentPictures(const LatentPicturesParams& params, double scaling_factor,
                               std::optional<LatentInfo> made_by)
    : params_(params), scaling_factor_(scaling_factor), made_by_(std::move(made_by)) {
  check(!made_by_ || made_by_->scaling_factor == scaling_factor, "task.input.scaling_factor",
        "got ", scaling_factor, ", expected that of the VAE which made the latents: ",
        made_by_ ? made_by_->scaling_factor : 0);
}

LatentCodec LatentPictures::open() const {
  const std::string maker = made_by_ ? "'" + made_by_->vae + "'" : "that made them";
  check(available(), "task.vae.path", "latents have no picture without their VAE: got '', ",
        "expected the run or weights of the VAE ", maker);
  LatentCodec codec = LatentCodec::open(params_.path, params_.model);
  const LatentInfo info = codec.info();
  check(info.scaling_factor == scaling_factor_, params_.path, "scaling_factor: got ",
        info.scaling_factor, ", expected task.input.scaling_factor ", scaling_factor_);
  const bool known = made_by_ && made_by_->vae.size() == kIdLength;
  check(!known || info.vae == made_by_->vae, params_.path, "did not make these latents: got VAE '",
        info.vae, "', expected ", maker);
  if (!known) log::warn(params_.path, ": taken for the VAE ", maker, "; the data do not tell");
  return codec;
}

at::Tensor LatentPictures::of(const at::Tensor& latent_BZHW) {
  if (!codec_) codec_.emplace(open());
  codec_->to(latent_BZHW.device());
  std::vector<at::Tensor> parts;
  for (const at::Tensor& part : latent_BZHW.split(kAtOnce))
    parts.push_back(codec_->pictures(part).cpu());
  return at::cat(parts);
}

}  // namespace switchyard
