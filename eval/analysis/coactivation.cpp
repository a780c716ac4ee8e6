#include "eval/analysis/coactivation.h"

#include <algorithm>
#include <cmath>

namespace switchyard {
namespace {

IndexTable count_pairs(const TraceSite& site) {
  IndexTable out(site.experts, Indices(site.experts));
  for (int64_t t = 0; t < site.tokens(); ++t)
    for (int64_t i = site.token_offset[t]; i < site.token_offset[t + 1]; ++i)
      for (int64_t j = site.token_offset[t]; j < site.token_offset[t + 1]; ++j)
        if (site.slot[i] < site.experts && site.slot[j] < site.experts)
          ++out[site.slot[i]][site.slot[j]];
  return out;
}

Table lift_of(const IndexTable& pairs, int64_t tokens, int64_t min_pairs) {
  Table out(pairs.size(), Row(pairs.size(), kUndefined));
  for (size_t a = 0; a < pairs.size(); ++a)
    for (size_t b = 0; b < pairs.size(); ++b)
      if (a != b && pairs[a][b] >= std::max<int64_t>(min_pairs, 1))
        out[a][b] = std::log2(static_cast<double>(pairs[a][b]) * static_cast<double>(tokens) /
                              (static_cast<double>(pairs[a][a]) * pairs[b][b]));
  return out;
}

bool any_pair(const IndexTable& pairs) {
  for (size_t a = 0; a < pairs.size(); ++a)
    for (size_t b = 0; b < a; ++b)
      if (pairs[a][b] > 0) return true;
  return false;
}

void add_order(Coactivation& out, const IndexTable& pairs) {
  out.linkage.emplace_back();
  out.order.emplace_back();
  if (!any_pair(pairs)) return;
  Indices live, idle;
  for (size_t e = 0; e < pairs.size(); ++e)
    (pairs[e][e] > 0 ? live : idle).push_back(static_cast<int64_t>(e));
  Table distance(live.size(), Row(live.size()));
  for (size_t i = 0; i < live.size(); ++i)
    for (size_t j = 0; j < live.size(); ++j) {
      const auto both = static_cast<double>(pairs[live[i]][live[j]]);
      if (i != j)
        distance[i][j] = 1 - both / (pairs[live[i]][live[i]] + pairs[live[j]][live[j]] - both);
    }
  const Clustering tree = cluster_average(distance);
  for (int64_t leaf : tree.order) out.order.back().push_back(live[leaf]);
  out.order.back().insert(out.order.back().end(), idle.begin(), idle.end());
  out.linkage.back() = tree.merges;
}

void add_partners(Coactivation& out, const IndexTable& pairs) {
  Row bits, relative;
  double sum = 0, weight = 0;
  const double ceiling = std::log2(static_cast<double>(pairs.size()) - 1);
  for (size_t a = 0; a < pairs.size(); ++a) {
    Row partners(pairs[a].begin(), pairs[a].end());
    partners[a] = 0;
    bits.push_back(entropy_bits(partners));
    relative.push_back(ceiling > 0 ? bits.back() / ceiling : kUndefined);
    double total = 0;
    for (double n : partners) total += n;
    if (total > 0) sum += total * bits.back(), weight += total;
  }
  out.partner_bits.push_back(bits);
  out.partner_relative.push_back(relative);
  out.partner_bits_mean.push_back(weight > 0 ? sum / weight : kUndefined);
}

}  // namespace

Coactivation coactivation(const TraceView& trace, int64_t min_pairs) {
  Coactivation out;
  for (const TraceSite& site : trace.sites) {
    const IndexTable pairs = count_pairs(site);
    out.lift.push_back(lift_of(pairs, site.tokens(), min_pairs));
    add_order(out, pairs);
    add_partners(out, pairs);
    out.pair_count.push_back(pairs);
  }
  return out;
}

}  // namespace switchyard
