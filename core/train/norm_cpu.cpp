#include "core/train/norm_cpu.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <vector>

namespace switchyard {
namespace {

constexpr int64_t kBlock = 1 << 15;
constexpr int64_t kLanes = 8;

template <class T>
double block_sum(const T* values, int64_t n) {
  double lanes[kLanes] = {};
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    for (int64_t j = 0; j < kLanes; ++j) {
      const auto x = static_cast<double>(values[i + j]);
      lanes[j] += x * x;
    }
  }
  for (; i < n; ++i) lanes[0] += static_cast<double>(values[i]) * static_cast<double>(values[i]);
  double sum = 0;
  for (double lane : lanes) sum += lane;
  return sum;
}

}  // namespace

template <class T>
double sum_of_squares(const T* values, int64_t n) {
  std::vector<double> sums((n + kBlock - 1) / kBlock);
  at::parallel_for(0, static_cast<int64_t>(sums.size()), 1, [&](int64_t begin, int64_t end) {
    for (int64_t b = begin; b < end; ++b) {
      sums[b] = block_sum(values + b * kBlock, std::min(kBlock, n - b * kBlock));
    }
  });
  double total = 0;
  for (double sum : sums) total += sum;
  return total;
}

template double sum_of_squares(const float*, int64_t);
template double sum_of_squares(const double*, int64_t);

}  // namespace switchyard
