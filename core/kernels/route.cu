#include "core/kernels/route_row.cuh"
#include "core/kernels/slot_place.cuh"

namespace switchyard::kernels {
namespace {

__device__ bool is_routed(const Route& p, int64_t token) {
  return !p.routed || p.routed[last_up_to(p.seq_offset, p.sequences, token)];
}

/// A thread keeps all choices of its token, a lane of a warp that of its number.
template <class S, class T>
__device__ void route_token(const Route& p, int64_t token, T (&score)[S::kPer], int32_t* count) {
  constexpr bool kAlone = S::kLanes == 1;
  constexpr int kMine = kAlone ? S::kPer : 1;
  const int lane = S::lane(), k = static_cast<int>(p.sort.k), columns = static_cast<int>(p.columns);
  to_scores<S>(p.kind, score);
  store_row<S>(p.scores, token, columns, score);
  Candidates<S, T> left(score, columns);
  Choice<T> mine[kMine] = {};
  const int rounds = kAlone ? S::kPer : k;
#pragma unroll(kMine)
  for (int i = 0; i < rounds; ++i) {
    if (i >= k) continue;
    const Choice<T> best = left.take();
    if (kAlone || lane == i) mine[kAlone ? i : 0] = best;
  }
  T sum = 0;
#pragma unroll
  for (int m = 0; m < kMine; ++m)
    if (lane + m < k) sum += of_key(mine[m].key);
  const bool divide = p.renormalise && k > 1;
  if (divide) sum = group_sum<S>(sum) + T(1e-20);
  if (!is_routed(p, token)) mine[0] = {order_key(T(1)), columns};
#pragma unroll
  for (int m = 0; m < kMine; ++m) {
    if (lane + m >= k) continue;
    const int64_t entry = token * k + lane + m;
    const T weight = of_key(mine[m].key);
    static_cast<T*>(p.weight)[entry] = divide ? weight / sum : weight;
    p.slot_of[entry] = mine[m].column;
    atomicAdd(count + mine[m].column, 1);
  }
  if (lane == 0) p.token_offset[token] = token * k;
}

template <class S, class T>
__global__ void __launch_bounds__(S::kThreads) route_tokens(Route p) {
  __shared__ int32_t count[kRouteSlots];
  for (int64_t e = threadIdx.x; e < p.sort.slots; e += S::kThreads) count[e] = 0;
  __syncthreads();
  constexpr int kStep = S::kThreads / S::kLanes;
  const int64_t share = static_cast<uint32_t>(p.sort.chunk) / static_cast<uint32_t>(p.sort.k),
                begin = blockIdx.x * share, end = min(begin + share, p.sort.tokens);
  const int columns = static_cast<int>(p.columns);
  T score[S::kPer], next[S::kPer];
  int64_t t = begin + threadIdx.x / S::kLanes;
  if (t < end) load_row<S>(p.logits, t, columns, T(-INFINITY), next);
  for (; t < end; t += kStep) {
    copy(next, score);
    if (t + kStep < end) load_row<S>(p.logits, t + kStep, columns, T(-INFINITY), next);
    route_token<S>(p, t, score, count);
  }
  if (end == p.sort.tokens && threadIdx.x == 0) p.token_offset[end] = end * p.sort.k;
  __syncthreads();
  for (int64_t e = threadIdx.x; e < p.sort.slots; e += S::kThreads)
    p.sort.count[blockIdx.x * p.sort.slots + e] = count[e];
}

/// Gradient of the scores: that of the losses plus, where a column was chosen, that of its weight.
template <class S, class T>
__device__ void add_weight_gradient(const RouteBackward& p, int64_t token,
                                    const T (&score)[S::kPer], T (&d)[S::kPer]) {
  const int64_t first = token * p.k;
  const T* dweight = static_cast<const T*>(p.dweight) + first;
  const T* weight = static_cast<const T*>(p.weight) + first;
  const bool renormalise = p.renormalise && p.k > 1;
  T dot = 0, sum = 0;
  for (int64_t i = 0; i < p.k; ++i) {
    dot += dweight[i] * weight[i];
#pragma unroll
    for (int j = 0; j < S::kPer; ++j)
      if (S::column(j) == p.slot_of[first + i]) sum += score[j];
  }
  sum = group_sum<S>(sum) + T(1e-20);
  for (int64_t i = 0; i < p.k; ++i) {
    const T g = renormalise ? (dweight[i] - dot) / sum : dweight[i];
#pragma unroll
    for (int j = 0; j < S::kPer; ++j)
      if (S::column(j) == p.slot_of[first + i] && S::column(j) < p.columns) d[j] += g;
  }
}

template <class S, class T>
__global__ void __launch_bounds__(S::kThreads) backward_tokens(RouteBackward p) {
  const int64_t t =
      blockIdx.x * static_cast<int64_t>(S::kThreads / S::kLanes) + threadIdx.x / S::kLanes;
  if (t >= p.tokens) return;
  const int columns = static_cast<int>(p.columns);
  T score[S::kPer], d[S::kPer] = {};
  load_row<S>(p.scores, t, columns, T(0), score);
  if (p.dscores) load_row<S>(p.dscores, t, columns, T(0), d);
  if (p.dweight) add_weight_gradient<S>(p, t, score, d);
  T dot = 0;
#pragma unroll
  for (int j = 0; j < S::kPer; ++j) dot += score[j] * d[j];
  dot = group_sum<S>(dot);
#pragma unroll
  for (int j = 0; j < S::kPer; ++j) {
    if (p.kind == ScoreKind::Softmax) d[j] = score[j] * (d[j] - dot);
    if (p.kind == ScoreKind::Sigmoid) d[j] *= score[j] * (T(1) - score[j]);
  }
  store_row<S>(p.dlogits, t, columns, d);
}

/// Calls run(Split, type) for the narrowest split that holds `columns`.
template <class Run>
void with_split(int64_t columns, DType dtype, Run&& run) {
  const auto typed = [&](auto split) {
    dtype == DType::Double ? run(split, TypeTag<double>{}) : run(split, TypeTag<float>{});
  };
  static_assert(kRouteThreadColumns == 16);
  if (columns <= 8) return typed(Split<1, 8>{});
  if (columns <= 16) return typed(Split<1, 16>{});
  if (columns <= 64) return typed(Split<32, 2>{});
  if (columns <= 128) return typed(Split<32, 4>{});
  if (columns <= 256) return typed(Split<32, 8>{});
  typed(Split<32, 32>{});
}

}  // namespace

void route_cuda(const Route& p, void* stream) {
  const auto s = static_cast<cudaStream_t>(stream);
  const auto blocks = static_cast<unsigned>(slot_sort_chunks(p.sort));
  if (blocks == 0) {
    cudaMemsetAsync(p.token_offset, 0, sizeof(int64_t), s);
  } else {
    with_split(p.columns, p.dtype, [&](auto split, auto type) {
      route_tokens<decltype(split), typename decltype(type)::type>
          <<<blocks, split.kThreads, 0, s>>>(p);
    });
  }
  place(p.sort, s);
}

void route_backward_cuda(const RouteBackward& p, void* stream) {
  if (p.tokens == 0) return;
  with_split(p.columns, p.dtype, [&](auto split, auto type) {
    backward_tokens<decltype(split), typename decltype(type)::type>
        <<<blocks_for(p.tokens, split.kThreads / split.kLanes), split.kThreads, 0,
           static_cast<cudaStream_t>(stream)>>>(p);
  });
}

}  // namespace switchyard::kernels
