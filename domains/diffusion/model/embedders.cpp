#include "domains/diffusion/model/embedders.h"

#include <ATen/ops/embedding.h>
#include <ATen/ops/silu.h>

#include <cmath>

#include "core/base/text.h"

namespace switchyard {
namespace {

constexpr int64_t kFeatures = 256;
constexpr double kPeriod = 10000;

LinearInit time_init() { return {Init::normal(.02), Init::constant(0)}; }

/// [sin | cos] of the positions 0 .. n-1, [n, width].
at::Tensor sine_rows(const at::Tensor& position_N, int64_t width) {
  const auto power = at::arange(width / 2, at::kDouble) / (.5 * static_cast<double>(width));
  const auto angle = position_N.unsqueeze(1) * at::pow(kPeriod, -power).unsqueeze(0);
  return at::cat({angle.sin(), angle.cos()}, 1);
}

}  // namespace

PatchEmbed::PatchEmbed(int64_t channels, int64_t patch, int64_t width)
    : patch_(patch),
      weight_(add_parameter("proj.weight", {width, channels, patch, patch},
                            Init::xavier(channels * patch * patch, width))),
      bias_(add_parameter("proj.bias", {width}, Init::constant(0))) {}

at::Tensor PatchEmbed::forward(const at::Tensor& image) const {
  check(image.dim() == 4 && image.size(1) == weight_.size(1) && image.size(2) == image.size(3) &&
            image.size(2) % patch_ == 0,
        "patch embedding", "image: got ", to_text(image.sizes().vec()), ", expected [B, ",
        weight_.size(1), ", S, S], S a multiple of ", patch_);
  const int64_t batch = image.size(0), channels = image.size(1), grid = image.size(2) / patch_;
  const auto patches = image.view({batch, channels, grid, patch_, grid, patch_})
                           .permute({0, 2, 4, 1, 3, 5})
                           .reshape({batch, grid * grid, -1});
  return at::linear(patches, weight_.view({weight_.size(0), -1}), bias_);
}

at::Tensor unpatchify(const at::Tensor& tokens, int64_t patch) {
  const int64_t batch = tokens.size(0), channels = tokens.size(2) / (patch * patch);
  const auto grid = static_cast<int64_t>(std::llround(std::sqrt(double(tokens.size(1)))));
  check(grid * grid == tokens.size(1) && channels * patch * patch == tokens.size(2), "unpatchify",
        "tokens: got ", to_text(tokens.sizes().vec()), ", expected a square grid of patches of ",
        patch, " x ", patch);
  return tokens.view({batch, grid, grid, patch, patch, channels})
      .permute({0, 5, 1, 3, 2, 4})
      .reshape({batch, channels, grid * patch, grid * patch});
}

at::Tensor token_places(int64_t grid) {
  const auto place = at::arange(grid, at::kFloat);
  return at::stack({place.repeat({grid}), place.repeat_interleave(grid)}, 1);
}

at::Tensor position_table(int64_t width, int64_t grid) {
  check(width % 4 == 0, "position table", "width: got ", width, ", expected a multiple of 4");
  const auto places = token_places(grid).to(at::kDouble);
  return at::cat(
      {sine_rows(places.select(1, 0), width / 2), sine_rows(places.select(1, 1), width / 2)}, 1);
}

at::Tensor timestep_features(const at::Tensor& t_B) {
  const auto half = at::arange(kFeatures / 2, t_B.options().dtype(at::kFloat));
  // The exponents are rounded to single precision, as published, their exp is not.
  const auto exponent = half * (-std::log(kPeriod)) / (kFeatures / 2);
  const auto frequency = exponent.to(at::kDouble).exp().to(at::kFloat);
  const auto angle = t_B.to(at::kFloat).unsqueeze(1) * frequency.unsqueeze(0);
  return at::cat({angle.cos(), angle.sin()}, 1);
}

TimestepEmbedder::TimestepEmbedder(int64_t width)
    : in_(&emplace_child<Linear>("mlp.0", kFeatures, width, true, time_init())),
      out_(&emplace_child<Linear>("mlp.2", width, width, true, time_init())) {}

at::Tensor TimestepEmbedder::forward(const at::Tensor& t_B) const {
  const auto features = timestep_features(t_B).to(in_->weight.scalar_type());
  return out_->forward(at::silu(in_->forward(features)));
}

LabelEmbedder::LabelEmbedder(int64_t classes, int64_t width)
    : classes_(classes),
      table_(add_parameter("embedding_table.weight", {classes + 1, width}, Init::normal(.02))) {}

at::Tensor LabelEmbedder::forward(const at::Tensor& y_B) const {
  if (y_B.is_cpu() && y_B.numel() > 0) {
    const int64_t low = y_B.min().item<int64_t>(), high = y_B.max().item<int64_t>();
    check(low >= 0 && high <= classes_, "label embedding", "label out of range: got ", low, " .. ",
          high, ", expected 0 .. ", classes_, " (", classes_, ": no class)");
  }
  return at::embedding(table_, y_B.to(table_.device()));
}

at::Tensor LabelEmbedder::dropped(const at::Tensor& y_B, const at::Tensor& drop_B) const {
  return y_B.masked_fill(drop_B.to(y_B.device()), classes_);
}

}  // namespace switchyard
