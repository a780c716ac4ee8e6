#include "datasets/image/resize.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/base/error.h"
#include "datasets/image/resample_cpu.h"

namespace switchyard {
namespace {

struct Kernel {
  const char* name;
  double support;
  double (*weight)(double);
};

double sinc(double x) {
  if (x == 0) return 1;
  x *= std::numbers::pi;
  return std::sin(x) / x;
}

double box(double x) { return x > -.5 && x <= .5 ? 1 : 0; }
double bilinear(double x) { return std::max(1 - std::abs(x), 0.); }
double hamming(double x) {
  x = std::abs(x);
  if (x == 0) return 1;
  if (x >= 1) return 0;
  x *= std::numbers::pi;
  return std::sin(x) / x * (.54 + .46 * std::cos(x));
}
double bicubic(double x) {
  constexpr double a = -.5;
  x = std::abs(x);
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
}
double lanczos(double x) { return -3 <= x && x < 3 ? sinc(x) * sinc(x / 3) : 0; }

/// In the order of ResizeFilter. Nearest has no weights.
constexpr Kernel kKernels[] = {{"nearest", 0, nullptr},   {"box", .5, box},
                               {"bilinear", 1, bilinear}, {"hamming", 1, hamming},
                               {"bicubic", 2, bicubic},   {"lanczos", 3, lanczos}};

/// The source row of every output row. The position is a running sum: how ties fall depends on it.
at::Tensor nearest_rows(int64_t in, int64_t out) {
  const double step = static_cast<double>(in) / static_cast<double>(out);
  std::vector<int64_t> rows;
  double at = .5 * step;
  for (int64_t i = 0; i < out; ++i, at += step)
    rows.push_back(std::min(static_cast<int64_t>(at), in - 1));
  return at::tensor(rows, at::kLong);
}

at::Tensor resample_axis(const at::Tensor& image, int64_t axis, int64_t size, ResizeFilter filter) {
  if (image.size(axis) == size) return image;
  const ResampleWeights weights = resample_weights(image.size(axis), size, filter);
  auto shape = image.sizes().vec();
  shape[axis] = size;
  at::Tensor out = at::empty(shape, image.options());
  const int64_t outer = axis == 0 ? 1 : image.size(0);
  const int64_t inner = image.numel() / outer / image.size(axis);
  if (image.scalar_type() == at::kByte) {
    resample_u8(weights, image.const_data_ptr<uint8_t>(), out.data_ptr<uint8_t>(), outer, inner);
  } else {
    resample_f32(weights, image.const_data_ptr<float>(), out.data_ptr<float>(), outer, inner);
  }
  return out;
}

void check_resizable(const at::Tensor& image, int64_t height, int64_t width) {
  const bool typed = image.scalar_type() == at::kByte || image.scalar_type() == at::kFloat;
  check(typed && (image.dim() == 2 || image.dim() == 3), "resize_image", "wrong image: got ",
        c10::toString(image.scalar_type()), " ", to_text(image.sizes().vec()),
        ", expected uint8 or float32 [H,W] or [H,W,C]");
  check(image.numel() > 0, "resize_image", "empty image: got ", to_text(image.sizes().vec()));
  check(height > 0 && width > 0, "resize_image", "bad size: got ", height, " x ", width,
        ", expected at least 1 x 1");
}

}  // namespace

ResizeFilter resize_filter_from_name(const std::string& name, const std::string& where) {
  std::vector<std::string> names;
  for (const Kernel& kernel : kKernels) names.emplace_back(kernel.name);
  check_name(where, "filter", name, names);
  return static_cast<ResizeFilter>(std::find(names.begin(), names.end(), name) - names.begin());
}

ResampleWeights resample_weights(int64_t in, int64_t out, ResizeFilter filter) {
  const Kernel& kernel = kKernels[static_cast<int>(filter)];
  const double scale = static_cast<double>(in) / static_cast<double>(out);
  const double width = std::max(scale, 1.), support = kernel.support * width;
  const int64_t stride = static_cast<int64_t>(std::ceil(support)) * 2 + 1;
  ResampleWeights w{in, out, stride, {}, {}, std::vector<double>(out * stride)};
  for (int64_t i = 0; i < out; ++i) {
    const double center = (static_cast<double>(i) + .5) * scale;
    w.begin.push_back(std::max<int64_t>(static_cast<int64_t>(center - support + .5), 0));
    w.count.push_back(std::min(static_cast<int64_t>(center + support + .5), in) - w.begin[i]);
    double* weight = w.weight.data() + i * stride;
    double sum = 0;
    for (int64_t k = 0; k < w.count[i]; ++k) {
      const auto at = static_cast<double>(k + w.begin[i]);
      sum += weight[k] = kernel.weight((at - center + .5) * (1 / width));
    }
    for (int64_t k = 0; k < w.count[i] && sum != 0; ++k) weight[k] /= sum;
  }
  return w;
}

at::Tensor resize_image(const at::Tensor& image, int64_t height, int64_t width,
                        ResizeFilter filter) {
  check_resizable(image, height, width);
  if (filter == ResizeFilter::Nearest) {
    return image.index_select(0, nearest_rows(image.size(0), height))
        .index_select(1, nearest_rows(image.size(1), width));
  }
  return resample_axis(resample_axis(image.contiguous(), 1, width, filter), 0, height, filter);
}

}  // namespace switchyard
