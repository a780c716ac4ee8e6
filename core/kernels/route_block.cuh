#pragma once
// What the routing kernels share: how a block goes over its tokens, and how the gradient of a
// token's scores becomes that of its logits.

#include "core/kernels/route_row.cuh"
#include "core/kernels/slot_place.cuh"

namespace switchyard::kernels {

/// How a block goes over its tokens: rounds, whose choices lie in shared memory.
struct TokenRounds {
  int share, round;  // tokens of a block, of a round
  Divider token;     // of a choice of the round

  template <class S>
  static TokenRounds of(const SlotSort& sort) {
    constexpr int kGroups = S::kThreads / S::kLanes;
    const int k = static_cast<int>(sort.k);
    return {static_cast<int>(sort.chunk) / k, kGroups * std::max(1, 2048 / (kGroups * k)),
            Divider(k)};
  }
};

/// choose(token, score, place) turns the logits in `score` into the choices at `place` in the
/// round; write(first, tokens) runs after each round, in all threads, and adds to count [slots],
/// which is then left for place(). The logits of a token are read while the one before is decided.
template <class S, class T, class Choose, class Write>
__device__ void route_block(const void* logits, const Part<S, T>& part, const SlotSort& sort,
                            const TokenRounds& rounds, int32_t* count, Choose&& choose,
                            Write&& write) {
  constexpr int kStep = S::kThreads / S::kLanes;
  const int begin = blockIdx.x * rounds.share,
            end = min(begin + rounds.share, static_cast<int>(sort.tokens));
  T score[S::kPer], next[S::kPer];
  int t = begin + threadIdx.x / S::kLanes;
  const T* from = part.at(logits, t);
  if (t < end) part.load(from, T(-INFINITY), next);
#pragma unroll 1
  for (int e = threadIdx.x; e < static_cast<int>(sort.slots); e += S::kThreads) count[e] = 0;
#pragma unroll 1
  for (int first = begin; first < end; first += rounds.round) {
    const int stop = min(first + rounds.round, end);
#pragma unroll 1
    for (; t < stop; t += kStep) {
      copy(next, score);
      from += kStep * part.columns();
      if (t + kStep < end) part.load(from, T(-INFINITY), next);
      choose(t, score, t - first);
    }
    __syncthreads();
    write(first, stop - first);
    __syncthreads();
  }
  cudaTriggerProgrammaticLaunchCompletion();
  write_counts(sort, count);
}

/// Writes dlogits of one token; add(d) adds the gradient of its weights to that of its scores.
template <class S, class T, class Backward, class Add>
__device__ void write_gradient(const Backward& p, int token, const T (&score)[S::kPer], Add&& add) {
  const Part<S, T> part(static_cast<int>(p.columns), p.dscores, p.dlogits);
  T d[S::kPer] = {};
  if (p.dscores) part.load(part.at(p.dscores, token), T(0), d);
  if (p.dweight) add(d);
  through_scores<S>(p.kind, score, d);
  part.store(p.dlogits, token, d);
}

}  // namespace switchyard::kernels
