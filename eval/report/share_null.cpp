#include "eval/report/share_null.h"

#include <cmath>

namespace switchyard {
namespace {

Table shares_of(Table counts) {
  for (auto& row : counts) {
    double sum = 0;
    for (double x : row) sum += x;
    for (double& x : row) x = sum > 0 ? x / sum : kUndefined;
  }
  return counts;
}

}  // namespace

Table log_share_ratio(const Table& share, const std::vector<TraceDomain>& domains) {
  const size_t experts = share.empty() ? 0 : share.front().size();
  Row sum(experts, 0);
  int64_t seen = 0;
  for (size_t d = 0; d < domains.size(); ++d) {
    if (!domains[d].seen || experts == 0 || !defined(share[d][0])) continue;
    ++seen;
    for (size_t e = 0; e < experts; ++e) sum[e] += share[d][e];
  }
  Table out(share.size(), Row(experts, kUndefined));
  for (size_t d = 0; d < share.size(); ++d)
    for (size_t e = 0; e < experts; ++e)
      if (seen > 0 && sum[e] > 0 && share[d][e] > 0)
        out[d][e] = std::log2(share[d][e] * static_cast<double>(seen) / sum[e]);
  return out;
}

Table log_share_ratio_null95(const TraceView& trace, const SequenceCounts& counts,
                             const NullPlan& plan) {
  const auto domains = static_cast<int64_t>(trace.domains.size());
  if (plan.permutations.empty()) return {};
  std::vector<Table> draws;
  const Indices list = all_indices(trace.sequences());
  for (const Indices& permutation : plan.permutations) {
    Indices domain(list.size());
    for (size_t s = 0; s < list.size(); ++s)
      domain[s] = trace.domain[static_cast<size_t>(permutation[s])];
    draws.push_back(
        log_share_ratio(shares_of(domain_counts(counts, list, domain, domains)), trace.domains));
  }
  Table out(trace.domains.size(), Row(static_cast<size_t>(counts.experts), kUndefined));
  for (size_t d = 0; d < out.size(); ++d)
    for (size_t e = 0; e < out[d].size(); ++e) {
      Row values;
      for (const Table& draw : draws) values.push_back(std::abs(draw[d][e]));
      out[d][e] = percentile(values, 95);
    }
  return out;
}

}  // namespace switchyard
