#include <ATen/Parallel.h>

#include <cmath>
#include <vector>

#include "core/kernels/launch.h"

namespace switchyard::kernels {
namespace {

constexpr int64_t kGrain = 1024;

template <class T>
void select_row(const T* row, int64_t columns, int64_t k, int64_t* out) {
  for (int64_t i = 0; i < k; ++i) {
    int64_t best = -1;
    for (int64_t c = 0; c < columns; ++c) {
      bool taken = false;
      for (int64_t j = 0; j < i; ++j) taken |= out[j] == c;
      if (taken) continue;
      if (best < 0 || row[c] > row[best] || (std::isnan(row[best]) && !std::isnan(row[c])))
        best = c;
    }
    out[i] = best;
  }
}

template <class T>
void select_rows(const TopK& p) {
  const T* scores = static_cast<const T*>(p.scores);
  at::parallel_for(0, p.rows, kGrain, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) {
      select_row(scores + r * p.columns, p.columns, p.k, p.index + r * p.k);
    }
  });
}

}  // namespace

void top_k_cpu(const TopK& p) {
  p.dtype == DType::Double ? select_rows<double>(p) : select_rows<float>(p);
}

void slot_sort_cpu(const SlotSort& p) {
  std::vector<int64_t> next(static_cast<size_t>(p.slots) + 1, 0);
  for (int64_t a = 0; a < p.entries; ++a) ++next[static_cast<size_t>(p.slot_of[a]) + 1];
  for (size_t e = 1; e < next.size(); ++e) next[e] += next[e - 1];
  std::copy(next.begin(), next.end(), p.slot_offset);
  for (int64_t t = 0; t < p.tokens; ++t) {
    for (int64_t a = p.token_offset[t]; a < p.token_offset[t + 1]; ++a) {
      const int64_t row = next[static_cast<size_t>(p.slot_of[a])]++;
      p.token_of[row] = t;
      p.position[a] = row;
      p.entry[row] = a;
    }
  }
}

}  // namespace switchyard::kernels
