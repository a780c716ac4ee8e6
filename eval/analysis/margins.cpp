#include "eval/analysis/margins.h"

#include <algorithm>
#include <cmath>
#include <functional>

namespace switchyard {
namespace {

Indices histogram(const Row& values, int64_t bins) {
  Indices out(bins);
  for (double x : values)
    ++out[std::clamp<int64_t>(static_cast<int64_t>(std::floor(static_cast<double>(bins) * x)), 0,
                              bins - 1)];
  return out;
}

int64_t competing_slots(const TraceSite& site, int64_t t) {
  int64_t k = 0;
  for (int64_t a = site.token_offset[t]; a < site.token_offset[t + 1]; ++a)
    k += site.slot[a] < site.columns;
  return k;
}

void add_gaps(Margins& out, const TraceSite& site, int64_t bins) {
  Row first, kth;
  for (int64_t t = 0; site.columns > 0 && t < site.tokens(); ++t) {
    const double* scores = site.scores.data() + t * site.columns;
    Row p(scores, scores + site.columns);
    std::sort(p.begin(), p.end(), std::greater<>());
    const int64_t k = competing_slots(site, t);
    if (site.columns > 1) first.push_back(p[0] - p[1]);
    if (k > 0 && k < site.columns) kth.push_back(p[k - 1] - p[k]);
  }
  out.margin.push_back(histogram(first, bins));
  out.kth_gap.push_back(histogram(kth, bins));
  out.margin_median.push_back(percentile(first, 50));
  out.kth_gap_median.push_back(percentile(kth, 50));
  out.kth_gap_tokens.push_back(static_cast<int64_t>(kth.size()));
}

/// Slots per token of one domain.
struct Taken {
  Row selected, kept;
};

std::vector<Taken> count_taken(Margins& out, const TraceView& trace, const TraceSite& site) {
  std::vector<Taken> domains(trace.domains.size());
  Indices drops(site.experts), hist(site.experts + 1);
  const auto& offset = trace.level_of(site).seq_offset;
  for (int64_t s = 0; s < trace.sequences(); ++s)
    for (int64_t t = offset[s]; t < offset[s + 1]; ++t) {
      int64_t selected = 0, kept = 0;
      for (int64_t a = site.token_offset[t]; a < site.token_offset[t + 1]; ++a) {
        if (site.slot[a] >= site.experts) continue;
        const bool keeps = site.kept.empty() || site.kept[a] != 0;
        ++selected, kept += keeps, drops[site.slot[a]] += !keeps;
      }
      ++hist[selected];
      domains[trace.domain[s]].selected.push_back(static_cast<double>(selected));
      domains[trace.domain[s]].kept.push_back(static_cast<double>(kept));
    }
  out.drop_count_expert.push_back(drops);
  out.fixed_k.push_back(std::count_if(hist.begin(), hist.end(), [](int64_t n) { return n > 0; }) ==
                        1);
  out.k_hist.push_back(std::move(hist));
  return domains;
}

void add_taken(Margins& out, const std::vector<Taken>& domains) {
  for (Table* table : {&out.drop, &out.mean_k, &out.mean_k_kept, &out.k10, &out.k90})
    table->emplace_back();
  for (const Taken& d : domains) {
    const double selected = mean(d.selected), kept = mean(d.kept);
    out.drop.back().push_back(selected > 0 ? 1 - kept / selected : kUndefined);
    out.mean_k.back().push_back(selected);
    out.mean_k_kept.back().push_back(kept);
    out.k10.back().push_back(percentile(d.selected, 10));
    out.k90.back().push_back(percentile(d.selected, 90));
  }
}

}  // namespace

Margins margins(const TraceView& trace, int64_t bins) {
  Margins out;
  for (const TraceSite& site : trace.sites) {
    add_gaps(out, site, bins);
    add_taken(out, count_taken(out, trace, site));
  }
  return out;
}

}  // namespace switchyard
