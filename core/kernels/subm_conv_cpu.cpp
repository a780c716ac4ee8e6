#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>

#include <cstring>

#include "core/kernels/subm_conv.h"

namespace switchyard {
namespace {

template <class T>
void gather(const T* x, const int32_t* neighbor, int64_t rows, int64_t offsets, int64_t channels, bool reversed, T* out) {
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t v = 0; v < offsets; ++v) {
      const int64_t source = neighbor[r * offsets + (reversed ? offsets - 1 - v : v)];
      T* to = out + (r * offsets + v) * channels;
      if (source < 0) std::memset(to, 0, sizeof(T) * size_t(channels));
      else std::memcpy(to, x + source * channels, sizeof(T) * size_t(channels));
    }
  }
}

template <class T>
void gather_parallel(const at::Tensor& x, const at::Tensor& neighbor, int64_t begin, bool reversed, at::Tensor& out) {
  const int64_t offsets = neighbor.size(1), channels = x.size(1);
  const T* from = x.data_ptr<T>();
  const int32_t* table = neighbor.data_ptr<int32_t>() + begin * offsets;
  T* to = out.data_ptr<T>();
  at::parallel_for(0, out.size(0), 64, [&](int64_t low, int64_t high) {
    gather(from, table + low * offsets, high - low, offsets, channels, reversed, to + low * offsets * channels);
  });
}

}  // namespace

void gather_panel_cpu(const at::Tensor& x_NC, const at::Tensor& neighbor_NV, int64_t begin, bool reversed, at::Tensor& out) {
  if (x_NC.scalar_type() == at::kDouble) gather_parallel<double>(x_NC, neighbor_NV, begin, reversed, out);
  else gather_parallel<float>(x_NC, neighbor_NV, begin, reversed, out);
}

}  // namespace switchyard
