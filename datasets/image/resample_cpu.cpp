#include "datasets/image/resample_cpu.h"

#include <algorithm>

namespace switchyard {
namespace {

constexpr int kFraction = 22;

/// Rounded half away from zero.
std::vector<int32_t> fixed_point(const std::vector<double>& weights) {
  std::vector<int32_t> out;
  out.reserve(weights.size());
  for (double w : weights)
    out.push_back(static_cast<int32_t>(w * (1 << kFraction) + (w < 0 ? -.5 : .5)));
  return out;
}

uint8_t rounded(int32_t sum) {
  return static_cast<uint8_t>(std::clamp((sum + (1 << (kFraction - 1))) >> kFraction, 0, 255));
}
float rounded(double sum) { return static_cast<float>(sum); }

template <class Value, class Sum>
void resample(const ResampleWeights& w, const std::vector<Sum>& weight, const Value* from,
              Value* to, int64_t outer, int64_t inner) {
  std::vector<Sum> sum(static_cast<size_t>(inner));
  for (int64_t o = 0; o < outer; ++o) {
    for (int64_t i = 0; i < w.out; ++i) {
      std::fill(sum.begin(), sum.end(), Sum{0});
      for (int64_t k = 0; k < w.count[i]; ++k) {
        const Value* row = from + (o * w.in + w.begin[i] + k) * inner;
        const Sum factor = weight[i * w.stride + k];
        for (int64_t x = 0; x < inner; ++x) sum[x] += factor * static_cast<Sum>(row[x]);
      }
      Value* row = to + (o * w.out + i) * inner;
      for (int64_t x = 0; x < inner; ++x) row[x] = rounded(sum[x]);
    }
  }
}

}  // namespace

void resample_u8(const ResampleWeights& weights, const uint8_t* from, uint8_t* to, int64_t outer,
                 int64_t inner) {
  resample(weights, fixed_point(weights.weight), from, to, outer, inner);
}

void resample_f32(const ResampleWeights& weights, const float* from, float* to, int64_t outer,
                  int64_t inner) {
  resample(weights, weights.weight, from, to, outer, inner);
}

}  // namespace switchyard
