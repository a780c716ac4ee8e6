#include "eval/analysis/expert_match.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "eval/analysis/matching.h"

namespace switchyard {
namespace {

constexpr double kScale = 1e12;  // overlaps as integers: the matching is exact

double overlap_of(const Row& a, const Row& b) {
  double sum = 0;
  for (size_t j = 0; j < a.size(); ++j)
    if (defined(a[j]) && defined(b[j])) sum += std::min(a[j], b[j]);
  return sum;
}

}  // namespace

ExpertMatch match_experts(const Table& profile_a, const Table& profile_b, double min_overlap) {
  ExpertMatch out;
  IndexTable profit;
  for (const Row& a : profile_a) {
    out.overlap.emplace_back();
    profit.emplace_back();
    for (const Row& b : profile_b) {
      out.overlap.back().push_back(overlap_of(a, b));
      profit.back().push_back(std::llround(kScale * out.overlap.back().back()));
    }
  }
  out.match = maximum_matching(profit);
  for (size_t a = 0; a < out.match.size(); ++a) {
    int64_t& b = out.match[a];
    if (b < 0) continue;
    out.total += out.overlap[a][b];
    if (out.overlap[a][b] < min_overlap) b = -1;
  }
  return out;
}

Table expert_profiles(const TraceView& trace, const SequenceCounts& counts) {
  const int64_t classes = std::max<int64_t>(counts.classes, 1);
  Table out(counts.experts, Row(trace.domains.size() * classes));
  for (int64_t s = 0; s < trace.sequences(); ++s)
    for (int64_t c = 0; c < classes; ++c) {
      const int64_t* of =
          counts.classes > 0 ? counts.of_classes(s) + c * counts.experts : counts.of(s);
      for (int64_t e = 0; e < counts.experts; ++e)
        out[e][trace.domain[s] * classes + c] += static_cast<double>(of[e]);
    }
  for (Row& row : out) {
    const double total = std::accumulate(row.begin(), row.end(), 0.0);
    for (double& x : row) x = total > 0 ? x / total : kUndefined;
  }
  return out;
}

}  // namespace switchyard
