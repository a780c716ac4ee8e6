#pragma once

#include "core/kernels/device_math.cuh"

namespace switchyard::kernels {

/// One of `lanes` that sum the rows of a token, N columns at a time; kBatch rows are read at once.
template <class T, int N, int kBatch>
__device__ void combine_token(const Combine& p, int64_t token, int lane, int lanes) {
  using Row = Pack<T, N>;
  const int64_t begin = p.token_offset[token], *position = p.position + begin;
  const int k = static_cast<int>(p.token_offset[token + 1] - begin),
            units = static_cast<int>(p.width / N);
  const auto* weight = static_cast<const acc_t<T>*>(p.weight);
  for (int u = lane; u < units; u += lanes) {
    acc_t<T> sum[N] = {};
    for (int first = 0; first < k; first += kBatch) {
      Row row[kBatch] = {};
#pragma unroll
      for (int j = 0; j < kBatch; ++j)
        if (first + j < k)
          row[j] = static_cast<const Row*>(p.rows)[position[first + j] * units + u];
#pragma unroll
      for (int j = 0; j < kBatch; ++j) {
        const int64_t a = begin + first + j;
        if (first + j >= k) break;
        Row add{};
        if (p.bias) add = static_cast<const Row*>(p.bias)[p.slot_of[a] * units + u];
        const acc_t<T> w = weight ? weight[a] : acc_t<T>(1);
#pragma unroll
        for (int i = 0; i < N; ++i) sum[i] += w * (load(row[j].v + i) + load(add.v + i));
      }
    }
    Row out;
#pragma unroll
    for (int i = 0; i < N; ++i) store(out.v + i, sum[i]);
    static_cast<Row*>(p.out)[token * units + u] = out;
  }
}

}  // namespace switchyard::kernels
