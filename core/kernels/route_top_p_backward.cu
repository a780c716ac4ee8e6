#include "core/kernels/route_block.cuh"
#include "core/kernels/route_top_p_launch.h"

namespace switchyard::kernels {
namespace {

/// Adds the gradient of the weights to that of the scores.
template <class S, class T>
__device__ void add_weight_gradient(const RouteTopPBackward& p, int token,
                                    const T (&score)[S::kPer], T (&d)[S::kPer]) {
  const int k = static_cast<int>(p.k), slots = static_cast<int>(p.slots),
            counted = static_cast<int>(p.keep_share ? p.columns : p.slots);
  const int16_t* chosen = p.chosen + int64_t{token} * k;
  const T* dweight = static_cast<const T*>(p.dweight) + p.token_offset[token];
  T sum = 0, dot = 0;
  int n = 0, a = 0;
#pragma unroll 1
  for (int i = 0; i < k && chosen[i] >= 0; ++i) {
    const int column = chosen[i];
    const T g = column < slots ? dweight[a++] : T(0);
    n += column < counted;
#pragma unroll
    for (int j = 0; j < S::kPer; ++j) {
      if (S::column(j) != column || column >= counted) continue;
      sum += score[j];
      dot += g * score[j];
    }
  }
  sum = group_sum<S>(sum) + T(1e-20);
  dot = group_sum<S>(dot) / sum;
  const bool divide = p.renormalise && (n > 1 || p.singles);
  a = 0;
#pragma unroll 1
  for (int i = 0; i < k && chosen[i] >= 0; ++i) {
    const int column = chosen[i];
    T g = column < slots ? dweight[a++] : T(0);
    if (divide && column < counted) g = (g - dot) / sum;
#pragma unroll
    for (int j = 0; j < S::kPer; ++j)
      if (S::column(j) == column) d[j] += g;
  }
}

template <class S, class T>
__global__ void __launch_bounds__(S::kThreads) backward_tokens(RouteTopPBackward p) {
  const int t = blockIdx.x * (S::kThreads / S::kLanes) + threadIdx.x / S::kLanes;
  if (t >= p.tokens) return;
  const Part<S, T> part(static_cast<int>(p.columns), p.scores, p.scores);
  T score[S::kPer];
  part.load(part.at(p.scores, t), T(0), score);
  write_gradient<S>(p, t, score, [&](auto& d) { add_weight_gradient<S>(p, t, score, d); });
}

}  // namespace

void route_top_p_backward_cuda(const RouteTopPBackward& p, void* stream) {
  if (p.tokens == 0) return;
  with_split(p.columns, p.dtype, [&](auto split, auto type) {
    backward_tokens<decltype(split), typename decltype(type)::type>
        <<<blocks_for(p.tokens, split.kThreads / split.kLanes), split.kThreads, 0,
           static_cast<cudaStream_t>(stream)>>>(p);
  });
}

}  // namespace switchyard::kernels
