#include "core/train/adamw_cpu.h"

#include <ATen/Parallel.h>

#include <cmath>
#include <vector>

namespace switchyard {
namespace {
constexpr int64_t kGrain = 1 << 15;
}

template <class T>
void adamw_update(T* parameter, const T* grad, T* exp_avg, T* exp_avg_sq, int64_t n,
                  const AdamWStep& step) {
  const T keep = static_cast<T>(step.keep), scale = static_cast<T>(step.grad_factor);
  const T take1 = static_cast<T>(1 - step.beta1), take2 = static_cast<T>(1 - step.beta2);
  const T beta2 = static_cast<T>(step.beta2), eps = static_cast<T>(step.eps);
  const T size = static_cast<T>(step.step_size), root = static_cast<T>(step.root_bias2);
  at::parallel_for(0, n, kGrain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const T g = grad[i] * scale;
      const T m = exp_avg[i] + take1 * (g - exp_avg[i]);
      const T v = exp_avg_sq[i] * beta2 + take2 * g * g;
      exp_avg[i] = m;
      exp_avg_sq[i] = v;
      parameter[i] = parameter[i] * keep - size * (m / (std::sqrt(v) / root + eps));
    }
  });
}

template <class T>
double sum_of_squares(const T* values, int64_t n) {
  const int64_t blocks = (n + kGrain - 1) / kGrain;
  std::vector<double> sums(blocks);
  at::parallel_for(0, blocks, 1, [&](int64_t begin, int64_t end) {
    for (int64_t b = begin; b < end; ++b) {
      double sum = 0;
      for (int64_t i = b * kGrain; i < std::min(n, (b + 1) * kGrain); ++i) {
        sum += static_cast<double>(values[i]) * static_cast<double>(values[i]);
      }
      sums[b] = sum;
    }
  });
  double total = 0;
  for (double sum : sums) total += sum;
  return total;
}

template void adamw_update(float*, const float*, float*, float*, int64_t, const AdamWStep&);
template void adamw_update(double*, const double*, double*, double*, int64_t, const AdamWStep&);
template double sum_of_squares(const float*, int64_t);
template double sum_of_squares(const double*, int64_t);

}  // namespace switchyard
