#include <ATen/Parallel.h>

#include <algorithm>
#include <vector>

#include "core/kernels/route_row.h"

namespace switchyard::kernels {
namespace {

constexpr int64_t kGrain = 256;

template <class T>
bool renormalises(const T& p, int64_t k) {
  return p.renormalise && k > 1;
}

/// Weights of the chosen slots of one token.
template <class T>
void weigh_row(const Route& p, const T* score, const int64_t* slot, T* weight) {
  T sum = T(1e-20);
  for (int64_t i = 0; i < p.sort.k; ++i) sum += weight[i] = score[slot[i]];
  if (!renormalises(p, p.sort.k)) return;
  for (int64_t i = 0; i < p.sort.k; ++i) weight[i] /= sum;
}

/// Tokens of sequences that are not routed.
template <class T>
void force(const Route& p) {
  for (int64_t s = 0; p.routed && s < p.sequences; ++s) {
    if (p.routed[s]) continue;
    const int64_t begin = p.seq_offset[s], end = p.seq_offset[s + 1];
    std::fill(p.slot_of + begin, p.slot_of + end, p.columns);
    std::fill(static_cast<T*>(p.weight) + begin, static_cast<T*>(p.weight) + end, T(1));
  }
}

template <class T>
void route(const Route& p) {
  const int64_t tokens = p.sort.tokens, columns = p.columns, k = p.sort.k;
  const T* logits = static_cast<const T*>(p.logits);
  T *scores = static_cast<T*>(p.scores), *weight = static_cast<T*>(p.weight);
  at::parallel_for(0, tokens, kGrain, [&](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; ++t)
      score_row(p.kind, logits + t * columns, columns, scores + t * columns);
  });
  top_k_cpu({scores, p.dtype, tokens, columns, k, p.slot_of});
  for (int64_t t = 0; t <= tokens; ++t) p.token_offset[t] = t * k;
  for (int64_t t = 0; t < tokens; ++t)
    weigh_row(p, scores + t * columns, p.slot_of + t * k, weight + t * k);
  force<T>(p);
}

template <class T>
void add_weight_gradient(const RouteBackward& p, int64_t t, const T* score, T* d) {
  const int64_t* slot = p.slot_of + t * p.k;
  const T* dweight = static_cast<const T*>(p.dweight) + t * p.k;
  const T* weight = static_cast<const T*>(p.weight) + t * p.k;
  T dot = 0, sum = T(1e-20);
  if (slot[0] == p.columns) return;  // forced
  for (int64_t i = 0; i < p.k; ++i) {
    dot += dweight[i] * weight[i];
    sum += score[slot[i]];
  }
  for (int64_t i = 0; i < p.k; ++i)
    d[slot[i]] += renormalises(p, p.k) ? (dweight[i] - dot) / sum : dweight[i];
}

/// score [columns] is scratch.
template <class T>
void backward_row(const RouteBackward& p, int64_t t, T* score) {
  const int64_t n = p.columns;
  score_row(p.kind, static_cast<const T*>(p.logits) + t * n, n, score);
  T* d = static_cast<T*>(p.dlogits) + t * n;
  const T* dscores = static_cast<const T*>(p.dscores);
  std::fill(d, d + n, T(0));
  if (dscores) std::copy(dscores + t * n, dscores + (t + 1) * n, d);
  if (p.dweight) add_weight_gradient(p, t, score, d);
  through_scores(p.kind, score, n, d);
}

template <class T>
void route_backward(const RouteBackward& p) {
  at::parallel_for(0, p.tokens, kGrain, [&](int64_t begin, int64_t end) {
    std::vector<T> score(static_cast<size_t>(p.columns));
    for (int64_t t = begin; t < end; ++t) backward_row<T>(p, t, score.data());
  });
}

}  // namespace

void route_cpu(const Route& p) {
  p.dtype == DType::Double ? route<double>(p) : route<float>(p);
  slot_sort_cpu(p.sort);
}

void route_backward_cpu(const RouteBackward& p) {
  p.dtype == DType::Double ? route_backward<double>(p) : route_backward<float>(p);
}

}  // namespace switchyard::kernels
