#pragma once
// What turns an image, a time and a label into vectors of the network's width (DiT, arXiv
// 2212.09748).

#include "core/nn/linear.h"

namespace switchyard {

/// Images [B, C, S, S] -> tokens [B, N, D] in raster order, N = (S / p)^2. Published: proj.weight
/// [D, C, p, p], proj.bias.
class PatchEmbed : public Module {
 public:
  PatchEmbed(int64_t channels, int64_t patch, int64_t width);
  /// Errors: no square image of whole patches.
  at::Tensor forward(const at::Tensor& image_BCSS) const;

 private:
  int64_t patch_;
  at::Tensor &weight_, &bias_;
};

/// Tokens [B, N, p * p * C] (channel fastest) -> image [B, C, S, S].
at::Tensor unpatchify(const at::Tensor& tokens_BNP, int64_t patch);

/// Column and row of the tokens of an image in raster order, [grid^2, 2] f32.
at::Tensor token_places(int64_t grid);

/// Fixed table [grid^2, width] in double: the first half of a row encodes the column, the second
/// the row, each as [sin | cos] of pos * 10000^(-j / (width / 4)). Error: width not divisible by 4.
at::Tensor position_table(int64_t width, int64_t grid);

/// Times [B] in 0 .. 1000 -> [B, 256] f32: [cos | sin] of t * 10000^(-i / 128).
at::Tensor timestep_features(const at::Tensor& t_B);

/// Times [B] -> [B, D]: Linear(SiLU(Linear(features))). Published: mlp.{0,2}.{weight,bias}.
class TimestepEmbedder : public Module {
 public:
  explicit TimestepEmbedder(int64_t width);
  at::Tensor forward(const at::Tensor& t_B) const;

 private:
  Linear *in_, *out_;
};

/// Labels [B] i64 in 0 .. classes, `classes` being the null label -> [B, D]. Published:
/// embedding_table.weight [classes + 1, D].
class LabelEmbedder : public Module {
 public:
  LabelEmbedder(int64_t classes, int64_t width);
  /// Error: a label out of range.
  at::Tensor forward(const at::Tensor& y_B) const;
  /// The null label wherever drop_B [B] bool holds.
  at::Tensor dropped(const at::Tensor& y_B, const at::Tensor& drop_B) const;

 private:
  int64_t classes_;
  at::Tensor& table_;
};

}  // namespace switchyard
