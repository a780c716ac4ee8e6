#pragma once
// Image resampling with the numbers of Pillow up to 12.0 (Resample.c): separable convolution,
// horizontal pass first, a pass left out where its size does not change. Pillow 13.0 takes the
// vertical pass first for some tall images; the published recipes are older.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

namespace switchyard {

enum class ResizeFilter { Nearest, Box, Bilinear, Hamming, Bicubic, Lanczos };

/// "nearest", "box", "bilinear", "hamming", "bicubic", "lanczos". Errors at `where`: others.
ResizeFilter resize_filter_from_name(const std::string& name, const std::string& where);

/// `image`: [H,W] or [H,W,C], u8 or f32; the result has its type. u8: weights of 22 fractional
/// bits, clamped after each pass. f32: sums in double, rounded after each pass, not clamped.
/// Shrinking widens the filter (antialias). Errors: an empty image, a size below 1.
at::Tensor resize_image(const at::Tensor& image, int64_t height, int64_t width,
                        ResizeFilter filter);

/// The weights of one pass: output i is the sum over k < count[i] of
/// weight[i * stride + k] * input[begin[i] + k].
struct ResampleWeights {
  int64_t in = 0, out = 0, stride = 0;
  std::vector<int64_t> begin, count;
  std::vector<double> weight;
};
ResampleWeights resample_weights(int64_t in, int64_t out, ResizeFilter filter);

}  // namespace switchyard
