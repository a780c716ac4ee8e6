#include "eval/analysis/answer_facts.h"

#include <algorithm>

namespace switchyard {
namespace {

Indices largest_experts(const Row& share, double factor, int64_t at_most) {
  Indices out;
  for (size_t e = 0; e < share.size(); ++e)
    if (share[e] * share.size() >= factor) out.push_back(static_cast<int64_t>(e));
  std::stable_sort(out.begin(), out.end(), [&](auto a, auto b) { return share[a] > share[b]; });
  if (static_cast<int64_t>(out.size()) > at_most) out.resize(at_most);
  return out;
}

Indices connected(const std::vector<std::vector<std::optional<bool>>>& within) {
  const auto n = static_cast<int64_t>(within.size());
  Indices group(n, -1);
  int64_t count = 0;
  for (int64_t first = 0; first < n; ++first) {
    if (group[first] >= 0) continue;
    Indices open{first};
    group[first] = count;
    while (!open.empty()) {
      const int64_t a = open.back();
      open.pop_back();
      for (int64_t b = 0; b < n; ++b) {
        if (group[b] >= 0 || !within[a][b].value_or(false)) continue;
        group[b] = count;
        open.push_back(b);
      }
    }
    ++count;
  }
  return group;
}

}  // namespace

AnswerFacts answer_facts(const LoadShare& load, const Row& nmi_domain, const JsDivergence& js,
                         double factor, int64_t at_most, double weak) {
  AnswerFacts out;
  for (size_t l = 0; l < nmi_domain.size(); ++l) {
    if (!defined(nmi_domain[l])) continue;
    if (out.reference_layer < 0 || nmi_domain[l] > nmi_domain[out.reference_layer])
      out.reference_layer = static_cast<int64_t>(l);
    if (nmi_domain[l] < weak) out.weak_layers.push_back(static_cast<int64_t>(l));
  }
  if (out.reference_layer < 0) return out;
  for (const auto& share : load.share[out.reference_layer])
    out.experts.push_back(largest_experts(share, factor, at_most));
  out.groups = connected(js.within_null[out.reference_layer]);
  return out;
}

}  // namespace switchyard
