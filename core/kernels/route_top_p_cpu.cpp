#include <ATen/Parallel.h>

#include <vector>

#include "core/kernels/route_row.h"
#include "core/kernels/route_top_p_launch.h"

namespace switchyard::kernels {
namespace {

constexpr int64_t kGrain = 256;

/// How many of the k best scores a token takes.
template <class T>
int64_t taken(const RouteTopP& p, const T* score, const int64_t* best) {
  T sum = 0;
  int64_t n = 0;
  do {
    sum += score[best[n++]];
  } while (n < p.sort.k && (p.p >= 1 || sum < static_cast<T>(p.p)));
  return n;
}

/// The scores that weights are divided by, and whether they are. Params: either struct.
template <class T, class Params, class Column>
std::pair<T, bool> divisor(const Params& p, int64_t slots, const T* score, const Column* chosen,
                           int64_t n) {
  T sum = T(1e-20);
  int64_t counted = 0;
  for (int64_t i = 0; i < n; ++i) {
    if (chosen[i] >= slots && !p.keep_share) continue;
    sum += score[chosen[i]];
    ++counted;
  }
  return {sum, p.renormalise && (counted > 1 || p.singles)};
}

/// Entries of token t from token_offset[t] on.
template <class T>
void write_token(const RouteTopP& p, int64_t t, const T* score, const int64_t* best, int64_t n) {
  const auto [sum, divide] = divisor(p, p.sort.slots, score, best, n);
  int64_t a = p.token_offset[t];
  for (int64_t i = 0; i < p.sort.k; ++i) {
    const int64_t column = i < n ? best[i] : -1;
    p.chosen[t * p.sort.k + i] = static_cast<int16_t>(column);
    if (column < 0 || column >= p.sort.slots) continue;
    p.slot_of[a] = column;
    static_cast<T*>(p.weight)[a++] = divide ? score[column] / sum : score[column];
  }
  p.token_offset[t + 1] = a;
}

template <class T>
void fill_rest(const RouteTopP& p, int64_t used) {
  for (int64_t a = used; a < p.sort.entries; ++a) {
    p.slot_of[a] = p.sort.token_of[a] = 0;
    p.sort.position[a] = p.sort.entry[a] = a;
    static_cast<T*>(p.weight)[a] = T(0);
  }
}

template <class T>
void route(const RouteTopP& p) {
  const int64_t tokens = p.sort.tokens, columns = p.columns, k = p.sort.k;
  const T* logits = static_cast<const T*>(p.logits);
  T* scores = static_cast<T*>(p.scores);
  at::parallel_for(0, tokens, kGrain, [&](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; ++t)
      score_row(p.kind, logits + t * columns, columns, scores + t * columns);
  });
  std::vector<int64_t> best(static_cast<size_t>(tokens * k));
  top_k_cpu({scores, p.dtype, tokens, columns, k, best.data()});
  p.token_offset[0] = 0;
  for (int64_t t = 0; t < tokens; ++t) {
    const T* score = scores + t * columns;
    const int64_t* own = best.data() + t * k;
    write_token(p, t, score, own, taken(p, score, own));
  }
  SlotSort sort = p.sort;
  sort.entries = p.token_offset[tokens];
  slot_sort_cpu(sort);
  fill_rest<T>(p, sort.entries);
}

template <class T>
void add_weight_gradient(const RouteTopPBackward& p, int64_t t, const T* score, T* d) {
  const int16_t* chosen = p.chosen + t * p.k;
  const T* dweight = static_cast<const T*>(p.dweight) + p.token_offset[t];
  const int64_t n = std::find(chosen, chosen + p.k, int16_t{-1}) - chosen;
  const auto [sum, divide] = divisor(p, p.slots, score, chosen, n);
  T dot = 0;
  for (int64_t i = 0, a = 0; i < n; ++i)
    if (chosen[i] < p.slots) dot += dweight[a++] * score[chosen[i]];
  dot /= sum;
  for (int64_t i = 0, a = 0; i < n; ++i) {
    const bool entry = chosen[i] < p.slots;
    const T g = entry ? dweight[a++] : T(0);
    d[chosen[i]] += divide && (entry || p.keep_share) ? (g - dot) / sum : g;
  }
}

template <class T>
void route_backward(const RouteTopPBackward& p) {
  const int64_t n = p.columns;
  at::parallel_for(0, p.tokens, kGrain, [&](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; ++t) {
      const T* score = static_cast<const T*>(p.scores) + t * n;
      const T* dscores = static_cast<const T*>(p.dscores);
      T* d = static_cast<T*>(p.dlogits) + t * n;
      std::fill(d, d + n, T(0));
      if (dscores) std::copy(dscores + t * n, dscores + (t + 1) * n, d);
      if (p.dweight) add_weight_gradient(p, t, score, d);
      through_scores(p.kind, score, n, d);
    }
  });
}

}  // namespace

void route_top_p_cpu(const RouteTopP& p) {
  p.dtype == DType::Double ? route<double>(p) : route<float>(p);
}

void route_top_p_backward_cpu(const RouteTopPBackward& p) {
  p.dtype == DType::Double ? route_backward<double>(p) : route_backward<float>(p);
}

}  // namespace switchyard::kernels
