#include <cooperative_groups.h>

#include "core/base/error.h"
#include "core/kernels/route_row.cuh"
#include "core/kernels/slot_place.cuh"

namespace switchyard::kernels {
namespace {

__device__ bool is_routed(const Route& p, int token) {
  return !p.routed || p.routed[last_up_to(p.seq_offset, p.sequences, token)];
}

/// A thread keeps all choices of its token, a lane of a warp that of its number.
template <class S, class T>
__device__ void route_token(const Route& p, int token, T (&score)[S::kPer], int32_t* count) {
  constexpr bool kAlone = S::kLanes == 1;
  constexpr int kStep = kAlone ? 1 : 32;
  const int lane = S::lane(), k = static_cast<int>(p.sort.k), columns = static_cast<int>(p.columns);
  to_scores<S>(p.kind, score);
  store_row<S>(p.scores, token, columns, score);
  Candidates<S, T> left(score, columns);
  Choice<T> mine[kAlone ? S::kPer : 1] = {};
  T sum = 0;
#pragma unroll 1
  for (int i = 0; i < k; ++i) {
    const Choice<T> best = left.take();
    if (kAlone || lane == i) mine[kAlone ? i : 0] = best;
  }
#pragma unroll 1
  for (int i = lane; i < k; i += kStep) sum += of_key(mine[kAlone ? i : 0].key);
  const bool divide = p.renormalise && k > 1;
  sum = divide ? group_sum<S>(sum) + T(1e-20) : T(1);
  if (!is_routed(p, token)) mine[0] = {order_key(T(1)), columns};
#pragma unroll 1
  for (int i = lane; i < k; i += kStep) {
    const Choice<T> choice = mine[kAlone ? i : 0];
    static_cast<T*>(p.weight)[token * k + i] = of_key(choice.key) / sum;
    p.slot_of[token * k + i] = choice.column;
    atomicAdd(count + choice.column, 1);
  }
  if (lane == 0) p.token_offset[token] = token * k;
}

/// Routes the tokens of a block; adds to count [slots].
template <class S, class T>
__device__ void route_share(const Route& p, int32_t* count) {
  constexpr int kStep = S::kThreads / S::kLanes;
  const int columns = static_cast<int>(p.columns), tokens = static_cast<int>(p.sort.tokens);
  const int share = static_cast<int>(p.sort.chunk) / static_cast<int>(p.sort.k),
            begin = blockIdx.x * share, end = min(begin + share, tokens);
  T score[S::kPer], next[S::kPer];
  int t = begin + threadIdx.x / S::kLanes;
  if (t < end) load_row<S>(p.logits, t, columns, T(-INFINITY), next);
#pragma unroll 1
  for (; t < end; t += kStep) {
    copy(next, score);
    if (t + kStep < end) load_row<S>(p.logits, t + kStep, columns, T(-INFINITY), next);
    route_token<S>(p, t, score, count);
  }
  if (end == tokens && threadIdx.x == 0) p.token_offset[end] = p.sort.entries;
}

template <class S, class T>
__global__ void __launch_bounds__(S::kThreads, S::kBlocks) route_tokens(Route p, Placing placing) {
  extern __shared__ int32_t shared[];
  const int slots = static_cast<int>(p.sort.slots);
#pragma unroll 1
  for (int e = threadIdx.x; e < slots; e += S::kThreads) shared[e] = 0;
  __syncthreads();
  route_share<S, T>(p, shared);
  __syncthreads();
#pragma unroll 1
  for (int e = threadIdx.x; placing.chunks > 0 && e < slots; e += S::kThreads)
    p.sort.count[blockIdx.x * slots + e] = shared[e];
  cooperative_groups::this_grid().sync();
  place_chunk(p.sort, placing, shared);
}

/// Gradient of the scores: that of the losses plus, where a column was chosen, that of its weight.
template <class S, class T>
__device__ void add_weight_gradient(const RouteBackward& p, int token, const T (&score)[S::kPer],
                                    T (&d)[S::kPer]) {
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
  const int t = blockIdx.x * (S::kThreads / S::kLanes) + threadIdx.x / S::kLanes;
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

int64_t multiprocessors_cuda(int device) {
  int count = 0;
  cudaDeviceGetAttribute(&count, cudaDevAttrMultiProcessorCount, device);
  return std::max(count, 1);
}

void route_cuda(const Route& p, void* stream) {
  Route route = p;
  Placing placing(p.sort);
  void* arguments[] = {&route, &placing};
  with_split(p.columns, p.dtype, [&](auto split, auto type) {
    const auto kernel = route_tokens<decltype(split), typename decltype(type)::type>;
    allow_shared(kernel, placing.bytes);
    const auto error =
        cudaLaunchCooperativeKernel(kernel, placing.blocks(), split.kThreads, arguments,
                                    placing.bytes, static_cast<cudaStream_t>(stream));
    check(error == cudaSuccess, "route_top_k", "launch: got ", cudaGetErrorString(error),
          ", expected ", placing.blocks(), " blocks to run at once");
  });
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
