#include <ATen/Parallel.h>
#include <c10/util/BFloat16.h>

#include <cstring>

#include "core/kernels/dtype_cpu.h"
#include "core/kernels/launch.h"

namespace switchyard::kernels {
namespace {

constexpr int64_t kGrain = 256;

template <class T>
void combine_token(const Combine& p, int64_t t, acc_t<T>* sum) {
  const T* rows = static_cast<const T*>(p.rows);
  const auto* weight = static_cast<const acc_t<T>*>(p.weight);
  std::fill(sum, sum + p.width, acc_t<T>(0));
  for (int64_t a = p.token_offset[t]; a < p.token_offset[t + 1]; ++a) {
    const T* row = rows + p.position[a] * p.width;
    const acc_t<T> w = weight ? weight[a] : acc_t<T>(1);
    if (!p.bias) {
      for (int64_t c = 0; c < p.width; ++c) sum[c] += w * acc_t<T>(row[c]);
      continue;
    }
    const T* bias = static_cast<const T*>(p.bias) + p.slot_of[a] * p.width;
    for (int64_t c = 0; c < p.width; ++c) sum[c] += w * (acc_t<T>(row[c]) + acc_t<T>(bias[c]));
  }
  T* out = static_cast<T*>(p.out) + t * p.width;
  for (int64_t c = 0; c < p.width; ++c) out[c] = T(sum[c]);
}

}  // namespace

void gather_rows_cpu(const Gather& p) {
  const auto bytes = static_cast<size_t>(p.row_bytes);
  const char* x = static_cast<const char*>(p.x);
  char* out = static_cast<char*>(p.out);
  at::parallel_for(0, p.rows, kGrain, [&](int64_t begin, int64_t end) {
    for (int64_t a = begin; a < end; ++a) {
      std::memcpy(out + static_cast<size_t>(a) * bytes, x + static_cast<size_t>(p.index[a]) * bytes,
                  bytes);
    }
  });
}

void combine_rows_cpu(const Combine& p) {
  with_dtype(p.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    at::parallel_for(0, p.tokens, kGrain, [&](int64_t begin, int64_t end) {
      std::vector<acc_t<T>> sum(static_cast<size_t>(p.width));
      for (int64_t t = begin; t < end; ++t) combine_token<T>(p, t, sum.data());
    });
  });
}

}  // namespace switchyard::kernels
