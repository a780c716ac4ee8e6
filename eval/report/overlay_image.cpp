#include "eval/report/overlay_image.h"

#include <ATen/ops/full.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>

#include <algorithm>

#include "datasets/image/image_grid.h"
#include "eval/report/layer_tracks.h"
#include "eval/report/palette.h"
#include "eval/report/picture_samples.h"

namespace switchyard {
namespace {

constexpr int64_t kSide = 96;  // of a picture, about
constexpr size_t kMostPictures = 6;

/// f32 [3, H, W], small pictures in whole steps larger.
at::Tensor base_of(const at::Tensor& image_CHW) {
  const at::Tensor small = thumbnail(image_CHW, kSide).permute({2, 0, 1});
  const int64_t times = std::max<int64_t>(1, kSide / std::max(small.size(1), small.size(2)));
  const at::Tensor large = small.repeat_interleave(times, 1).repeat_interleave(times, 2);
  return large.expand({3, large.size(1), large.size(2)}).to(at::kFloat);
}

at::Tensor colour_of(int64_t track) {
  const auto [red, green, blue] = expert_rgb(track);
  return at::tensor({red, green, blue}, at::kFloat).view({3, 1, 1});
}

at::Tensor patches_of(const PictureSample& sample, const OverlayLayer& layer,
                      const at::Tensor& base) {
  at::Tensor out = base.mean(0, /*keepdim=*/true).expand_as(base).clone();
  const int64_t rows = sample.grid.rows, columns = sample.grid.columns;
  const Indices& expert = sample.expert[layer.site];
  for (size_t n = 0; n < expert.size(); ++n) {
    const int64_t y = sample.grid.cell[n] / columns, x = sample.grid.cell[n] % columns;
    const int64_t top = y * out.size(1) / rows, left = x * out.size(2) / columns;
    at::Tensor patch = out.narrow(1, top, (y + 1) * out.size(1) / rows - top)
                           .narrow(2, left, (x + 1) * out.size(2) / columns - left);
    patch.lerp_(colour_of(layer.track_of(expert[n])), kPatchOpacity);
  }
  return out;
}

}  // namespace

at::Tensor overlay_image(const Sampling& sampling) {
  const PictureSamples samples = made_picture_samples(sampling);
  const auto pictures = pictures_in_turn(samples, kMostPictures);
  if (pictures.empty()) return {};
  const TraceView& trace = *sampling.trace;
  const auto layers = overlay_layers(own_layers(trace), samples.sites);
  size_t columns = 1;
  for (const auto& passes : pictures) columns = std::max(columns, 1 + passes.size());
  std::vector<at::Tensor> tiles;
  for (const auto& passes : pictures) {
    const at::Tensor base = base_of(passes.front()->image_CHW);
    for (const OverlayLayer& layer : layers) {
      tiles.push_back(base);
      for (const PictureSample* pass : passes) tiles.push_back(patches_of(*pass, layer, base));
      while (tiles.size() % columns != 0) tiles.push_back(at::full_like(base, 255));
    }
  }
  return image_grid(at::stack(tiles).round().to(at::kByte), static_cast<int64_t>(columns), 4);
}

}  // namespace switchyard
