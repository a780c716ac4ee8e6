#include "eval/analysis/stability.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "core/base/error.h"

namespace switchyard {
namespace {

double jaccard_of(const Indices& a, const Indices& b) {
  if (a.empty() && b.empty()) return 1;
  Indices both;
  std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(both));
  const auto n = static_cast<double>(both.size());
  return n / (static_cast<double>(a.size() + b.size()) - n);
}

double agreement(const ExpertSets& a, const ExpertSets& b) {
  Row same;
  for (size_t t = 0; t < a.size(); ++t) same.push_back(a[t] == b[t] ? 1 : 0);
  return mean(same);
}

double overlap(const ExpertSets& a, const ExpertSets& b) {
  Row values;
  for (size_t t = 0; t < a.size(); ++t) values.push_back(jaccard_of(a[t], b[t]));
  return mean(values);
}

double chance_of(const ExpertSets& last, int64_t experts) {
  Row values;
  for (const Indices& set : last) {
    const auto e = static_cast<double>(experts), k = static_cast<double>(set.size());
    values.push_back(std::exp(std::lgamma(k + 1) + std::lgamma(e - k + 1) - std::lgamma(e + 1)));
  }
  return mean(values);
}

/// Sequences of `trace` by uri.
std::map<std::string, int64_t> by_uri(const TraceView& trace) {
  std::map<std::string, int64_t> out;
  for (int64_t s = 0; s < trace.sequences(); ++s) out.emplace(trace.uris[s], s);
  return out;
}

std::vector<std::string> shared_uris(const std::vector<TraceView>& traces) {
  std::vector<std::string> out;
  std::vector<std::map<std::string, int64_t>> known;
  for (const auto& trace : traces) known.push_back(by_uri(trace));
  for (const auto& uri : traces.back().uris)
    if (std::all_of(known.begin(), known.end(), [&](const auto& k) { return k.count(uri) > 0; }))
      out.push_back(uri);
  return out;
}

void append_sets(ExpertSets& out, const TraceSite& site, int64_t begin, int64_t end) {
  for (int64_t t = begin; t < end; ++t) {
    Indices set;
    for (int64_t a = site.token_offset[t]; a < site.token_offset[t + 1]; ++a)
      if (site.slot[a] < site.experts) set.push_back(site.slot[a]);
    std::sort(set.begin(), set.end());
    out.push_back(std::move(set));
  }
}

}  // namespace

Stability stability(const std::vector<std::vector<ExpertSets>>& sets, const Indices& experts) {
  Stability out;
  for (size_t l = 0; l < experts.size(); ++l) {
    const ExpertSets& last = sets.back()[l];
    Row agree, previous, jaccard;
    for (size_t s = 0; s < sets.size(); ++s) {
      agree.push_back(agreement(sets[s][l], last));
      previous.push_back(s == 0 ? kUndefined : agreement(sets[s][l], sets[s - 1][l]));
      jaccard.push_back(overlap(sets[s][l], last));
    }
    out.agree.push_back(agree);
    out.agree_previous.push_back(previous);
    out.jaccard.push_back(jaccard);
    out.chance.push_back(chance_of(last, experts[l]));
  }
  return out;
}

std::vector<std::vector<ExpertSets>> probe_sets(const std::vector<TraceView>& traces) {
  const auto uris = shared_uris(traces);
  const size_t layers = traces.back().sites.size();
  std::vector<std::vector<ExpertSets>> out(traces.size(), std::vector<ExpertSets>(layers));
  for (size_t s = 0; s < traces.size(); ++s) {
    const TraceView& trace = traces[s];
    check(trace.sites.size() == layers, "stability", "traces of different models: got ",
          trace.sites.size(), " layers at step ", trace.step, ", expected ", layers);
    const auto sequences = by_uri(trace);
    for (size_t l = 0; l < layers; ++l) {
      const auto& offset = trace.level_of(trace.sites[l]).seq_offset;
      for (const auto& uri : uris) {
        const int64_t q = sequences.at(uri);
        append_sets(out[s][l], trace.sites[l], offset[q], offset[q + 1]);
      }
      check(out[s][l].size() == out[0][l].size(), "stability",
            "a sequence has another length at step ", trace.step, " of layer ", l, ": got ",
            out[s][l].size(), " probe tokens, expected ", out[0][l].size());
    }
  }
  return out;
}

}  // namespace switchyard
