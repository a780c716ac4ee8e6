#include "datasets/image/noise_latents.h"

#include <ATen/ops/empty.h>

namespace switchyard {
namespace {

constexpr double kNoVariance = -30;

}  // namespace

void NoiseLatentsParams::declare(Fields<NoiseLatentsParams>& f) {
  f.add("seed", &NoiseLatentsParams::seed, "of the noise", at_least(0));
  f.add("count", &NoiseLatentsParams::count, "latents", between(1, 1e6));
  f.add("channels", &NoiseLatentsParams::channels, "of a latent", between(1, 1024));
  f.add("size", &NoiseLatentsParams::size, "side of a latent", between(1, 4096));
  f.add("classes", &NoiseLatentsParams::classes, "classes, in turn", between(1, 1e6));
}

NoiseLatents::NoiseLatents(const NoiseLatentsParams& params) : params_(params) {
  for (int64_t c = 0; c < params.classes; ++c) info_.class_names.push_back(cat("class ", c));
  info_.source = "noise";
  info_.hash = cat("noise-", params.seed, "-", params.count, "-", params.channels, "-", params.size,
                   "-", params.classes);
  info_.synthetic = true;
  latents_ = at::full({params.count, 2 * params.channels, params.size, params.size}, kNoVariance,
                      at::kFloat);
  RandomStream stream(static_cast<uint64_t>(params.seed), "noise_latents");
  const int64_t means = params.channels * params.size * params.size;
  float* value = latents_.mutable_data_ptr<float>();
  for (int64_t i = 0; i < params.count; ++i)
    for (int64_t j = 0; j < means; ++j)
      value[2 * i * means + j] = static_cast<float>(stream.normal());
}

SampleInfo NoiseLatents::sample_info(int64_t index) const {
  return {cat("noise/", index), "noise", cat("noise/", index), "train"};
}

Sample NoiseLatents::get(int64_t index, const Draw&) const {
  const at::Tensor label = at::full({1}, index % params_.classes, at::kLong);
  return {{{"latent", latents_[index]}, {"latent_flip", latents_[index]}, {"label", label}},
          sample_info(index)};
}

}  // namespace switchyard
