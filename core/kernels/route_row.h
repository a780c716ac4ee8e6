#pragma once
// The scores of one token on the CPU.

#include <algorithm>
#include <cmath>

#include "core/kernels/launch.h"

namespace switchyard::kernels {

template <class T>
void score_row(ScoreKind kind, const T* logits, int64_t n, T* p) {
  if (kind == ScoreKind::Identity) {
    std::copy(logits, logits + n, p);
  } else if (kind == ScoreKind::Sigmoid) {
    for (int64_t e = 0; e < n; ++e) p[e] = T(1) / (T(1) + std::exp(-logits[e]));
  } else {
    const T top = *std::max_element(logits, logits + n);
    T sum = 0;
    for (int64_t e = 0; e < n; ++e) sum += p[e] = std::exp(logits[e] - top);
    for (int64_t e = 0; e < n; ++e) p[e] /= sum;
  }
}

/// The gradient of n scores becomes that of the logits in place.
template <class T>
void through_scores(ScoreKind kind, const T* score, int64_t n, T* d) {
  T dot = 0;
  for (int64_t e = 0; e < n; ++e) dot += score[e] * d[e];
  for (int64_t e = 0; e < n; ++e) {
    if (kind == ScoreKind::Softmax) d[e] = score[e] * (d[e] - dot);
    if (kind == ScoreKind::Sigmoid) d[e] *= score[e] * (T(1) - score[e]);
  }
}

}  // namespace switchyard::kernels
