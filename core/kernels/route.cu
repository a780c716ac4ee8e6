#include "core/kernels/device_math.cuh"
#include "core/kernels/slot_place.cuh"

namespace switchyard::kernels {
namespace {

/// kLanes lanes share a token (1 or a warp); lane l holds columns l, l + kLanes, ... (kPer of
/// them).
template <int kLanes>
__device__ int lane_in_group() {
  return kLanes == 1 ? 0 : threadIdx.x % 32;
}

template <int kLanes, class T>
__device__ T group_sum(T x) {
  if constexpr (kLanes > 1)
    for (int step = 16; step > 0; step /= 2) x += __shfl_xor_sync(kFullWarp, x, step);
  return x;
}
template <int kLanes, class T>
__device__ T group_max(T x) {
  if constexpr (kLanes > 1)
    for (int step = 16; step > 0; step /= 2) x = max(x, __shfl_xor_sync(kFullWarp, x, step));
  return x;
}
template <int kLanes>
__device__ int group_first(int column) {
  return kLanes == 1 ? column : __reduce_min_sync(kFullWarp, column);
}
template <int kLanes>
__device__ unsigned group_max(unsigned key) {
  return kLanes == 1 ? key : __reduce_max_sync(kFullWarp, key);
}

// Keys that order as scores do: absent < NaN < -inf < ... < inf; both zeros are equal.
__device__ unsigned order_key(float x) {
  if (isnan(x)) return 1;
  const unsigned bits = __float_as_uint(x + 0.f);
  return bits & 0x80000000u ? ~bits : bits | 0x80000000u;
}
__device__ unsigned long long order_key(double x) {
  if (isnan(x)) return 1;
  const auto bits = static_cast<unsigned long long>(__double_as_longlong(x + 0.));
  return bits >> 63 ? ~bits : bits | 1ull << 63;
}

template <int kLanes, int kPer, class T>
__device__ void softmax(T (&p)[kPer], int64_t columns) {
  T top = -INFINITY, sum = 0;
  for (int j = 0; j < kPer; ++j) top = max(top, p[j]);
  top = group_max<kLanes>(top);
#pragma unroll
  for (int j = 0; j < kPer; ++j) {
    p[j] = lane_in_group<kLanes>() + kLanes * j < columns ? exp(p[j] - top) : T(0);
    sum += p[j];
  }
  sum = group_sum<kLanes>(sum);
  for (int j = 0; j < kPer; ++j) p[j] /= sum;
}

template <int kLanes, int kPer, class T>
__device__ void load_row(const void* rows, int64_t row, int64_t columns, T outside, T (&p)[kPer]) {
  const T* from = static_cast<const T*>(rows) + row * columns;
#pragma unroll
  for (int j = 0; j < kPer; ++j) {
    const int column = lane_in_group<kLanes>() + kLanes * j;
    p[j] = column < columns ? from[column] : outside;
  }
}
template <int kLanes, int kPer, class T>
__device__ void store_row(void* rows, int64_t row, int64_t columns, const T (&p)[kPer]) {
  T* to = static_cast<T*>(rows) + row * columns;
#pragma unroll
  for (int j = 0; j < kPer; ++j) {
    const int column = lane_in_group<kLanes>() + kLanes * j;
    if (column < columns) to[column] = p[j];
  }
}

template <int kLanes, int kPer, class T>
__device__ void route_token(const Route& p, int64_t token, int32_t* count) {
  const int lane = lane_in_group<kLanes>();
  const int64_t k = p.sort.k, columns = p.sort.slots;
  T score[kPer];
  load_row<kLanes>(p.logits, token, columns, T(-INFINITY), score);
  if (p.kind == ScoreKind::Softmax) softmax<kLanes>(score, columns);
  if (p.kind == ScoreKind::Sigmoid)
    for (int j = 0; j < kPer; ++j) score[j] = T(1) / (T(1) + exp(-score[j]));
  store_row<kLanes>(p.scores, token, columns, score);
  decltype(order_key(T())) key[kPer];
#pragma unroll
  for (int j = 0; j < kPer; ++j) key[j] = lane + kLanes * j < columns ? order_key(score[j]) : 0;
  T* weight = static_cast<T*>(p.weight) + token * k;
  T sum = 0;
  for (int64_t i = 0; i < k; ++i) {
    auto best = key[0];
    for (int j = 1; j < kPer; ++j) best = max(best, key[j]);
    best = group_max<kLanes>(best);
    int column = INT_MAX;
#pragma unroll
    for (int j = kPer - 1; j >= 0; --j) column = key[j] == best ? lane + kLanes * j : column;
    column = group_first<kLanes>(column);
#pragma unroll
    for (int j = 0; j < kPer; ++j) {
      if (lane + kLanes * j != column) continue;
      key[j] = 0;
      sum += score[j];
      weight[i] = score[j];
      p.slot_of[token * k + i] = column;
      atomicAdd(count + column, 1);
    }
  }
  if (lane == 0) p.token_offset[token] = token * k;
  if (!p.renormalise || k == 1) return;
  sum = group_sum<kLanes>(sum) + T(1e-20);
  if constexpr (kLanes > 1) __syncwarp();
  for (int64_t i = lane; i < k; i += kLanes) weight[i] /= sum;
}

template <int kLanes, int kPer, class T>
__global__ void route_tokens(Route p) {
  __shared__ int32_t count[kRouteSlots];
  for (int64_t e = threadIdx.x; e < p.sort.slots; e += blockDim.x) count[e] = 0;
  __syncthreads();
  const int64_t share = p.sort.chunk / p.sort.k, begin = blockIdx.x * share,
                end = min(begin + share, p.sort.tokens);
  for (int64_t t = begin + threadIdx.x / kLanes; t < end; t += blockDim.x / kLanes)
    route_token<kLanes, kPer, T>(p, t, count);
  if (end == p.sort.tokens && threadIdx.x == 0) p.token_offset[end] = end * p.sort.k;
  __syncthreads();
  for (int64_t e = threadIdx.x; e < p.sort.slots; e += blockDim.x)
    p.sort.count[blockIdx.x * p.sort.slots + e] = count[e];
}

/// Gradient of the scores: that of the losses plus, where a column was chosen, that of its weight.
template <int kLanes, int kPer, class T>
__device__ void add_weight_gradient(const RouteBackward& p, int64_t token, const T (&score)[kPer],
                                    T (&d)[kPer]) {
  const int64_t first = token * p.k;
  const T* dweight = static_cast<const T*>(p.dweight) + first;
  const T* weight = static_cast<const T*>(p.weight) + first;
  const bool renormalise = p.renormalise && p.k > 1;
  T dot = 0, sum = 0;
  for (int64_t i = 0; i < p.k; ++i) {
    dot += dweight[i] * weight[i];
    for (int j = 0; j < kPer; ++j)
      if (lane_in_group<kLanes>() + kLanes * j == p.slot_of[first + i]) sum += score[j];
  }
  sum = group_sum<kLanes>(sum) + T(1e-20);
  for (int64_t i = 0; i < p.k; ++i) {
    const T g = renormalise ? (dweight[i] - dot) / sum : dweight[i];
#pragma unroll
    for (int j = 0; j < kPer; ++j)
      if (lane_in_group<kLanes>() + kLanes * j == p.slot_of[first + i]) d[j] += g;
  }
}

template <int kLanes, int kPer, class T>
__global__ void backward_tokens(RouteBackward p) {
  const int64_t t = blockIdx.x * static_cast<int64_t>(blockDim.x / kLanes) + threadIdx.x / kLanes;
  if (t >= p.tokens) return;
  T score[kPer], d[kPer] = {};
  load_row<kLanes>(p.scores, t, p.slots, T(0), score);
  if (p.dscores) load_row<kLanes>(p.dscores, t, p.slots, T(0), d);
  if (p.dweight) add_weight_gradient<kLanes>(p, t, score, d);
  T dot = 0;
  for (int j = 0; j < kPer; ++j) dot += score[j] * d[j];
  dot = group_sum<kLanes>(dot);
#pragma unroll
  for (int j = 0; j < kPer; ++j) {
    if (p.kind == ScoreKind::Softmax) d[j] = score[j] * (d[j] - dot);
    if (p.kind == ScoreKind::Sigmoid) d[j] *= score[j] * (T(1) - score[j]);
  }
  store_row<kLanes>(p.dlogits, t, p.slots, d);
}

template <int kLanesValue, int kPerValue>
struct Split {
  static constexpr int kLanes = kLanesValue, kPer = kPerValue;
};
/// Calls run(Split<lanes, per>) for the narrowest that holds `columns`.
template <class Run>
void with_split(int64_t columns, Run&& run) {
  if (columns <= 8) return run(Split<1, 8>{});
  if (columns <= 16) return run(Split<1, 16>{});
  if (columns <= 64) return run(Split<32, 2>{});
  if (columns <= 128) return run(Split<32, 4>{});
  if (columns <= 256) return run(Split<32, 8>{});
  run(Split<32, 32>{});
}
template <class Run>
void with_float(DType dtype, Run&& run) {
  dtype == DType::Double ? run(TypeTag<double>{}) : run(TypeTag<float>{});
}

}  // namespace

void route_cuda(const Route& p, void* stream) {
  const auto s = static_cast<cudaStream_t>(stream);
  const auto blocks = static_cast<unsigned>(slot_sort_chunks(p.sort));
  if (blocks == 0) {
    cudaMemsetAsync(p.token_offset, 0, sizeof(int64_t), s);
  } else {
    with_float(p.dtype, [&](auto type) {
      with_split(p.sort.slots, [&](auto split) {
        route_tokens<split.kLanes, split.kPer, typename decltype(type)::type>
            <<<blocks, kThreads, 0, s>>>(p);
      });
    });
  }
  place(p.sort, s);
}

void route_backward_cuda(const RouteBackward& p, void* stream) {
  if (p.tokens == 0) return;
  with_float(p.dtype, [&](auto type) {
    with_split(p.slots, [&](auto split) {
      backward_tokens<split.kLanes, split.kPer, typename decltype(type)::type>
          <<<blocks_for(p.tokens, kThreads / split.kLanes), kThreads, 0,
             static_cast<cudaStream_t>(stream)>>>(p);
    });
  });
}

}  // namespace switchyard::kernels
