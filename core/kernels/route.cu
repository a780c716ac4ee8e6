#include "core/kernels/route_row.cuh"
#include "core/kernels/slot_place.cuh"

namespace switchyard::kernels {
namespace {

__device__ bool is_routed(const Route& p, int token) {
  return !p.routed || p.routed[last_up_to(p.seq_offset, p.sequences, token)];
}

/// Scores and choices of one token; chosen [k].
template <class S, class T>
__device__ void choose(const Route& p, const Part<S, T>& part, int token, T (&score)[S::kPer],
                       Choice<T>* chosen) {
  to_scores<S>(p.kind, score);
  part.store(p.scores, token, score);
  if (!is_routed(p, token)) {
    if (S::lane() == 0) chosen[0] = {order_key(T(1)), static_cast<int>(p.columns)};
    return;
  }
  Candidates<S, T> left(score, part);
  Choice<T>* const end = chosen + static_cast<int>(p.sort.k);
#pragma unroll 1
  for (; chosen != end; ++chosen) left.take(chosen);
}

/// Weights and slots of `tokens` tokens from `first` on; adds to count [slots].
template <class S, class T>
__device__ void write_choices(const Route& p, int first, int tokens, const Choice<T>* chosen,
                              int32_t* count) {
  const int k = static_cast<int>(p.sort.k);
  const bool divide = p.renormalise && k > 1;
  T* weight = static_cast<T*>(p.weight) + int64_t{first} * k;
#pragma unroll 1
  for (int i = threadIdx.x; i < tokens * k; i += S::kThreads) {
    T sum = divide ? T(1e-20) : T(1);
    const Choice<T>* own = chosen + i / k * k;
#pragma unroll 4
    for (int j = 0; divide && j < k; ++j) sum += of_key(own[j].key);
    weight[i] = of_key(chosen[i].key) / sum;
    p.slot_of[int64_t{first} * k + i] = chosen[i].column;
    atomicAdd(count + chosen[i].column, 1);
  }
#pragma unroll 1
  for (int t = first + threadIdx.x; t < first + tokens; t += S::kThreads)
    p.token_offset[t] = int64_t{t} * k;
}

/// Tokens of a round, whose choices lie in shared memory.
template <class S>
constexpr int round_tokens(int64_t k) {
  constexpr int kGroups = S::kThreads / S::kLanes;
  return kGroups * std::max(1, 2048 / (kGroups * static_cast<int>(k)));
}

/// Shared memory: Choice [round_tokens(k), k], count [slots].
template <class S, class T>
__global__ void __launch_bounds__(S::kThreads, S::kBlocks) route_tokens(Route p) {
  extern __shared__ __align__(16) char shared[];
  constexpr int kStep = S::kThreads / S::kLanes;
  const Part<S, T> part(static_cast<int>(p.columns), p.logits, p.scores);
  const int k = static_cast<int>(p.sort.k), slots = static_cast<int>(p.sort.slots),
            round = round_tokens<S>(k);
  const int share = static_cast<int>(p.sort.chunk) / k, begin = blockIdx.x * share,
            end = min(begin + share, static_cast<int>(p.sort.tokens));
  auto* chosen = reinterpret_cast<Choice<T>*>(shared);
  auto* count = reinterpret_cast<int32_t*>(chosen + round * k);
  T score[S::kPer], next[S::kPer];
  int t = begin + threadIdx.x / S::kLanes;
  if (t < end) part.load(p.logits, t, T(-INFINITY), next);
#pragma unroll 1
  for (int e = threadIdx.x; e < slots; e += S::kThreads) count[e] = 0;
#pragma unroll 1
  for (int first = begin; first < end; first += round) {
    const int stop = min(first + round, end);
#pragma unroll 1
    for (; t < stop; t += kStep) {
      copy(next, score);
      if (t + kStep < end) part.load(p.logits, t + kStep, T(-INFINITY), next);
      choose<S>(p, part, t, score, chosen + (t - first) * k);
    }
    __syncthreads();
    write_choices<S>(p, first, stop - first, chosen, count);
    __syncthreads();
  }
  cudaTriggerProgrammaticLaunchCompletion();
  write_counts(p.sort, count);
  if (end == p.sort.tokens && threadIdx.x == 0) p.token_offset[end] = p.sort.entries;
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
  wait_for_previous();
  const int t = blockIdx.x * (S::kThreads / S::kLanes) + threadIdx.x / S::kLanes;
  if (t >= p.tokens) return;
  const Part<S, T> part(static_cast<int>(p.columns), p.scores, p.dlogits);
  T score[S::kPer], d[S::kPer] = {};
  part.load(p.scores, t, T(0), score);
  if (p.dscores) {
    const Part<S, T> given(static_cast<int>(p.columns), p.dscores, p.dscores);
    given.load(p.dscores, t, T(0), d);
  }
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
  part.store(p.dlogits, t, d);
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
      using S = decltype(split);
      using T = typename decltype(type)::type;
      const size_t bytes =
          static_cast<size_t>(round_tokens<S>(p.sort.k) * p.sort.k) * sizeof(Choice<T>) +
          static_cast<size_t>(p.sort.slots) * sizeof(int32_t);
      allow_shared(route_tokens<S, T>, bytes);
      route_tokens<S, T><<<blocks, S::kThreads, bytes, s>>>(p);
    });
  }
  place(p.sort, s);
}

void route_backward_cuda(const RouteBackward& p, void* stream) {
  if (p.tokens == 0) return;
  with_split(p.columns, p.dtype, [&](auto split, auto type) {
    launch_early(backward_tokens<decltype(split), typename decltype(type)::type>,
                 dim3(blocks_for(p.tokens, split.kThreads / split.kLanes)), split.kThreads, 0,
                 stream, p);
  });
}

}  // namespace switchyard::kernels
