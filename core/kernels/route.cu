#include "core/kernels/route_block.cuh"

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
  if (p.scores) part.store(p.scores, token, score);
  if (!is_routed(p, token)) {
    if (S::lane() == 0) chosen[0] = {order_key(T(1)), static_cast<int>(p.columns)};
    return;
  }
  Candidates<S, T> left(score, part);
  const int k = static_cast<int>(p.sort.k);
  constexpr int kUnroll = kSortsColumns<S> ? 4 : 1;
#pragma unroll kUnroll
  for (int i = 0; i < k; ++i) left.take(chosen + i);
}

/// Weights and slots of `tokens` tokens from `first` on; adds to count [slots].
template <class S, class T>
__device__ void write_choices(const Route& p, const Divider& token, int first, int tokens,
                              const Choice<T>* chosen, int32_t* count) {
  const int k = static_cast<int>(p.sort.k);
  const bool divide = p.renormalise && k > 1;
  T* weight = static_cast<T*>(p.weight) + int64_t{first} * k;
  int64_t* slot_of = p.slot_of + int64_t{first} * k;
#pragma unroll 1
  for (int i = threadIdx.x; i < tokens * k; i += S::kThreads) {
    T sum = divide ? T(1e-20) : T(1);
    const Choice<T>* own = chosen + token(i) * k;
#pragma unroll 4
    for (int j = 0; divide && j < k; ++j) sum += of_key(own[j].key);
    weight[i] = of_key(chosen[i].key) / sum;
    slot_of[i] = chosen[i].column;
    atomicAdd(count + chosen[i].column, 1);
  }
#pragma unroll 1
  for (int t = first + threadIdx.x; t < first + tokens; t += S::kThreads)
    p.token_offset[t] = int64_t{t} * k;
}

/// Shared memory: Choice [round, k], count [slots].
template <class S, class T>
__global__ void __launch_bounds__(S::kThreads, kResident<S, T>)
    route_tokens(Route p, TokenRounds rounds) {
  extern __shared__ __align__(16) char shared[];
  const Part<S, T> part(static_cast<int>(p.columns), p.logits, p.scores);
  const int k = static_cast<int>(p.sort.k);
  auto* chosen = reinterpret_cast<Choice<T>*>(shared);
  auto* count = reinterpret_cast<int32_t*>(chosen + rounds.round * k);
  route_block<S, T>(
      p.logits, part, p.sort, rounds, count,
      [&](int t, auto& score, int place) { choose<S>(p, part, t, score, chosen + place * k); },
      [&](int first, int tokens) {
        write_choices<S>(p, rounds.token, first, tokens, chosen, count);
      });
  const int tokens = static_cast<int>(p.sort.tokens);
  if (blockIdx.x == gridDim.x - 1 && threadIdx.x == 0) p.token_offset[tokens] = p.sort.entries;
}

/// Where a column was chosen, the gradient of its weight.
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
  const Part<S, T> part(static_cast<int>(p.columns), p.logits, p.logits);
  T score[S::kPer];
  part.load(part.at(p.logits, t), T(-INFINITY), score);
  to_scores<S>(p.kind, score);
  write_gradient<S>(p, t, score, [&](auto& d) { add_weight_gradient<S>(p, t, score, d); });
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
      const auto rounds = TokenRounds::of<S>(p.sort);
      const size_t bytes = static_cast<size_t>(rounds.round * p.sort.k) * sizeof(Choice<T>) +
                           static_cast<size_t>(p.sort.slots) * sizeof(int32_t);
      allow_shared(route_tokens<S, T>, bytes);
      route_tokens<S, T><<<blocks, S::kThreads, bytes, s>>>(p, rounds);
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
