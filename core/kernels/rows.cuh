#pragma once

#include "core/kernels/device_math.cuh"

namespace switchyard::kernels {

/// One of `lanes` that sum the rows of a token, N columns at a time; the rows of kBatch entries are
/// read at once. There are `shares` of the rows, [shares, entries, width], whose sum is meant.
/// kPlain: without weights and biases.
template <class T, int N, int kBatch, bool kPlain>
__device__ void combine_token(const Combine& p, int shares, int64_t token, int lane, int lanes) {
  using Row = Pack<T, N>;
  const int64_t begin = p.token_offset[token], *position = p.position + begin;
  const int k = static_cast<int>(p.token_offset[token + 1] - begin),
            units = static_cast<int>(p.width / N);
  const auto* weight = static_cast<const acc_t<T>*>(p.weight);
  for (int u = lane; u < units; u += lanes) {
    acc_t<T> sum[N] = {};
    for (int first = 0; first < k; first += kBatch) {
      const Row* from[kBatch];
#pragma unroll
      for (int j = 0; j < kBatch; ++j)
        if (first + j < k)
          from[j] = static_cast<const Row*>(p.rows) + position[first + j] * units + u;
#pragma unroll 2
      for (int share = 0; share < shares; ++share) {
        Row row[kBatch] = {};
#pragma unroll
        for (int j = 0; j < kBatch; ++j)
          if (first + j < k) row[j] = from[j][share * p.entries * units];
#pragma unroll
        for (int j = 0; j < kBatch; ++j) {
          const int64_t a = begin + first + j;
          if (first + j >= k) break;
          Row add{};
          acc_t<T> w(1);
          if (!kPlain && p.bias) add = static_cast<const Row*>(p.bias)[p.slot_of[a] * units + u];
          if (!kPlain && weight) w = weight[a];
#pragma unroll
          for (int i = 0; i < N; ++i) sum[i] += w * (load(row[j].v + i) + load(add.v + i));
        }
      }
    }
    Row out;
#pragma unroll
    for (int i = 0; i < N; ++i) store(out.v + i, sum[i]);
    static_cast<Row*>(p.out)[token * units + u] = out;
  }
}

}  // namespace switchyard::kernels
