#include "domains/diffusion/vae/latent_dataset.h"

#include <ATen/ops/stack.h>

#include "core/io/sha256.h"

namespace switchyard {

LatentDataset::LatentDataset(std::unique_ptr<Dataset> pictures, LatentCodec codec)
    : pictures_(std::move(pictures)), codec_(std::move(codec)), info_(pictures_->info()) {
  check(!info_.latent, info_.source, "holds latents already: expected pictures");
  info_.latent = codec_.info();
  if (!info_.hash.empty()) info_.hash = sha256_text(info_.hash + " " + info_.latent->vae);
}

const at::Tensor& LatentDataset::picture(const Sample& sample) const {
  const auto found = sample.tensors.find("image");
  check(found != sample.tensors.end(), sample.info.uri, "has no picture: expected key 'image'");
  const at::Tensor& image = found->second;
  const int64_t channels = codec_.params().in_channels, factor = codec_.params().factor();
  check(image.scalar_type() == at::kByte && image.dim() == 3 && image.size(0) == channels &&
            image.size(1) % factor == 0 && image.size(2) % factor == 0 && image.numel() > 0,
        sample.info.uri, "image: got ", at::toString(image.scalar_type()), " ",
        to_text(image.sizes().vec()), ", expected u8 [", channels, ", H, W], H and W multiples of ",
        factor);
  return image;
}

Sample LatentDataset::get(int64_t index, const Draw& draw) const {
  Sample sample = pictures_->get(index, draw);
  const at::Tensor& image = picture(sample);
  const auto both = codec_.moments(at::stack({image, image.flip(2)})).to(at::kCPU).unbind(0);
  sample.tensors.erase("image");
  sample.tensors["latent"] = both[0].contiguous();
  sample.tensors["latent_flip"] = both[1].contiguous();
  return sample;
}

}  // namespace switchyard
