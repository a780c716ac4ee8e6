#include "eval/analysis/load.h"

#include <algorithm>
#include <numeric>

namespace switchyard {
namespace {

// All raw sums of one site; rows are domains.
struct Sums {
  IndexTable routed;
  Indices nulls, shared, tokens;
  Row weight;
};

Sums sum_site(const TraceView& trace, const TraceSite& site) {
  const TraceLevel& level = trace.level_of(site);
  const auto domains = trace.domains.size();
  const int64_t first_shared = site.experts + site.nulls;
  Sums out{IndexTable(domains, Indices(site.experts)),
           Indices(domains),
           {},
           Indices(domains),
           Row(site.experts)};
  for (int16_t slot : site.slot)
    if (slot >= first_shared && slot - first_shared >= static_cast<int64_t>(out.shared.size()))
      out.shared.resize(slot - first_shared + 1);
  for (int64_t s = 0; s < trace.sequences(); ++s) {
    const int64_t d = trace.domain[s], begin = level.seq_offset[s], end = level.seq_offset[s + 1];
    out.tokens[d] += end - begin;
    for (int64_t a = site.token_offset[begin]; a < site.token_offset[end]; ++a) {
      const int64_t slot = site.slot[a];
      if (slot < site.experts) {
        ++out.routed[d][slot];
        out.weight[slot] += site.weight[a];
      } else if (slot < first_shared) {
        ++out.nulls[d];
      } else {
        ++out.shared[slot - first_shared];
      }
    }
  }
  return out;
}

Row divided(const Indices& counts, double total) {
  Row out(counts.size(), kUndefined);
  for (size_t i = 0; i < counts.size() && total > 0; ++i) out[i] = counts[i] / total;
  return out;
}

int64_t total_of(const Indices& counts) {
  return std::accumulate(counts.begin(), counts.end(), int64_t{0});
}

Row mean_of_domains(const Table& share, int64_t experts) {
  Row out(experts);
  int64_t domains = 0;
  for (const auto& row : share) {
    if (row.empty() || !defined(row[0])) continue;
    ++domains;
    for (int64_t e = 0; e < experts; ++e) out[e] += row[e];
  }
  for (double& x : out) x = domains > 0 ? x / domains : kUndefined;
  return out;
}

Indices pooled(const IndexTable& counts, int64_t experts) {
  Indices out(experts);
  for (const auto& row : counts)
    for (int64_t e = 0; e < experts; ++e) out[e] += row[e];
  return out;
}

void add_domains(LoadShare& out, const Sums& sums) {
  Table share, token_share;
  Row null_share;
  for (size_t d = 0; d < sums.routed.size(); ++d) {
    const auto routed = total_of(sums.routed[d]);
    share.push_back(divided(sums.routed[d], routed));
    token_share.push_back(divided(sums.routed[d], sums.tokens[d]));
    const double entries = routed + sums.nulls[d];
    null_share.push_back(entries > 0 ? sums.nulls[d] / entries : kUndefined);
  }
  out.share.push_back(share);
  out.token_share.push_back(token_share);
  out.null_share.push_back(null_share);
}

Row scaled_weights(Row weight) {
  const double total = std::accumulate(weight.begin(), weight.end(), 0.0);
  for (double& x : weight) x = total > 0 ? x / total : kUndefined;
  return weight;
}

}  // namespace

Balance balance_of(const Row& share, double dead_below, double hot_above) {
  Balance out;
  if (share.empty() || !defined(share[0])) return out;
  const double experts = share.size();
  out.cv = population_deviation(share) / mean(share);
  out.max_violation = experts * *std::max_element(share.begin(), share.end()) - 1;
  for (size_t e = 0; e < share.size(); ++e) {
    if (share[e] * experts < dead_below) out.dead.push_back(static_cast<int64_t>(e));
    if (share[e] * experts > hot_above) out.hot.push_back(static_cast<int64_t>(e));
  }
  return out;
}

LoadShare load_share(const TraceView& trace, double dead_below, double hot_above) {
  LoadShare out;
  for (const auto& site : trace.sites) {
    const Sums sums = sum_site(trace, site);
    add_domains(out, sums);
    const Indices all = pooled(sums.routed, site.experts);
    out.count.push_back(sums.routed);
    out.uniform.push_back(1.0 / site.experts);
    out.mean_share.push_back(mean_of_domains(out.share.back(), site.experts));
    out.pooled_share.push_back(divided(all, total_of(all)));
    out.balance.push_back(balance_of(out.mean_share.back(), dead_below, hot_above));
    out.balance_pooled.push_back(balance_of(out.pooled_share.back(), dead_below, hot_above));
    out.shared_count.push_back(sums.shared);
    out.weight_share.push_back(scaled_weights(sums.weight));
  }
  return out;
}

}  // namespace switchyard
