#include "eval/analysis/nulls.h"

#include <map>
#include <set>

namespace switchyard {
namespace {

IndexTable sequences_of(const Indices& key) {
  std::map<int64_t, Indices> by_key;
  for (size_t s = 0; s < key.size(); ++s) by_key[key[s]].push_back(static_cast<int64_t>(s));
  IndexTable out;
  for (auto& [unused, list] : by_key) out.push_back(std::move(list));
  return out;
}

// More than half of the sequences lie in groups that several domains share.
bool groups_span_domains(const TraceView& trace) {
  std::map<int64_t, std::set<int64_t>> domains;
  for (int64_t s = 0; s < trace.sequences(); ++s)
    if (trace.group[s] >= 0) domains[trace.group[s]].insert(trace.domain[s]);
  int64_t spanning = 0;
  for (int64_t s = 0; s < trace.sequences(); ++s)
    spanning += trace.group[s] >= 0 && domains[trace.group[s]].size() > 1;
  return 2 * spanning > trace.sequences();
}

bool one_group_per_domain(const TraceView& trace) {
  std::map<int64_t, std::set<int64_t>> groups;
  for (int64_t s = 0; s < trace.sequences(); ++s) {
    if (trace.group[s] < 0) return false;
    groups[trace.domain[s]].insert(trace.group[s]);
  }
  for (const auto& [unused, ids] : groups)
    if (ids.size() > 1) return false;
  return groups.size() > 1;
}

// Shuffles the members of each block among themselves.
Indices shuffle_inside(const IndexTable& blocks, int64_t n, RandomStream& stream) {
  Indices out(n);
  for (int64_t s = 0; s < n; ++s) out[s] = s;
  for (const auto& block : blocks) {
    const auto order = stream.permutation(static_cast<int64_t>(block.size()));
    for (size_t i = 0; i < block.size(); ++i) out[block[i]] = block[order[i]];
  }
  return out;
}

Indices resample_inside(const IndexTable& blocks, RandomStream& stream) {
  Indices out;
  for (const auto& block : blocks)
    for (size_t i = 0; i < block.size(); ++i)
      out.push_back(block[stream.below(static_cast<int64_t>(block.size()))]);
  return out;
}

Indices halve(const IndexTable& blocks, int64_t n, RandomStream& stream) {
  Indices out(n);
  for (const auto& block : blocks) {
    const auto order = stream.permutation(static_cast<int64_t>(block.size()));
    for (size_t i = 0; i < block.size() / 2; ++i) out[block[order[i]]] = 1;
  }
  return out;
}

// Blocks inside which domain labels may move; none if nothing may.
IndexTable exchangeable(const TraceView& trace, NullPlan& plan) {
  plan.status = "ok";
  if (groups_span_domains(trace)) {
    plan.kind = "paired-groups";
    plan.unit = "domain labels move within a group";
    IndexTable blocks = sequences_of(trace.group);
    std::erase_if(blocks, [&](const Indices& block) { return trace.group[block[0]] < 0; });
    return blocks;
  }
  if (one_group_per_domain(trace)) {
    plan.kind = "confounded";
    plan.status = "confounded with scene";
    plan.unit = "none: every domain is one group";
    return {};
  }
  plan.kind = "sequences";
  plan.unit = "domain labels move between sequences";
  return {all_indices(trace.sequences())};
}

}  // namespace

NullPlan plan_nulls(const TraceView& trace, int64_t draws, RandomStream stream) {
  NullPlan plan;
  plan.draws = draws;
  const int64_t n = trace.sequences();
  const IndexTable blocks = exchangeable(trace, plan), by_domain = sequences_of(trace.domain);
  RandomStream moves = stream.child("permutation"), shuffles = stream.child("shuffle"),
               resamples = stream.child("resample"), halves = stream.child("half");
  for (int64_t r = 0; r < draws; ++r) {
    if (plan.status == "ok") plan.permutations.push_back(shuffle_inside(blocks, n, moves));
    plan.shuffles.push_back(shuffles.permutation(n));
    plan.resamples.push_back(resample_inside(by_domain, resamples));
    plan.splits.push_back(halve(by_domain, n, halves));
  }
  return plan;
}

double permutation_p(double value, const Row& null) {
  int64_t reached = 0, replicates = 0;
  for (double x : null) {
    replicates += defined(x);
    reached += defined(x) && x >= value - 1e-12;
  }
  return replicates > 0 && defined(value) ? (1.0 + reached) / (1.0 + replicates) : kUndefined;
}

}  // namespace switchyard
