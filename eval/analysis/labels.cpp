#include "eval/analysis/labels.h"

#include <algorithm>
#include <numeric>

namespace switchyard {
namespace {

Table shares(const IndexTable& count) {
  Table out;
  for (const Indices& row : count) {
    const int64_t total = std::accumulate(row.begin(), row.end(), int64_t{0});
    out.emplace_back();
    for (int64_t n : row)
      out.back().push_back(total > 0 ? static_cast<double>(n) / static_cast<double>(total)
                                     : kUndefined);
  }
  return out;
}

/// Sum over the sequences of one domain, -1: of all.
IndexTable class_counts(const TraceView& trace, const SequenceCounts& counts, int64_t domain) {
  IndexTable out(trace.classes.size(), Indices(counts.experts));
  for (int64_t s = 0; s < trace.sequences(); ++s) {
    if (domain >= 0 && trace.domain[s] != domain) continue;
    const int64_t* of = counts.of_classes(s);
    for (int64_t c = 0; c < counts.classes; ++c)
      for (int64_t e = 0; e < counts.experts; ++e) out[c][e] += of[c * counts.experts + e];
  }
  return out;
}

Indices labelled_tokens(const TraceView& trace, const TraceLevel& level) {
  Indices out(trace.classes.size());
  for (int32_t label : level.label)
    if (label >= 0) ++out[label];
  return out;
}

}  // namespace

LabelTable label_table(const TraceView& trace, const std::vector<SequenceCounts>& counts) {
  LabelTable out;
  for (size_t l = 0; l < trace.sites.size(); ++l) {
    out.tokens.push_back(labelled_tokens(trace, trace.level_of(trace.sites[l])));
    out.count.push_back(class_counts(trace, counts[l], -1));
    out.share.push_back(shares(out.count.back()));
    out.by_domain.emplace_back();
    for (size_t d = 0; d < trace.domains.size(); ++d)
      out.by_domain.back().push_back(
          shares(class_counts(trace, counts[l], static_cast<int64_t>(d))));
    out.row_order.push_back(centre_order(out.share.back(), all_indices(trace.sites[l].experts)));
  }
  return out;
}

Indices centre_order(const Table& share, const Indices& order) {
  Row centre;
  for (const Row& row : share) {
    double sum = 0;
    for (size_t place = 0; place < order.size(); ++place)
      sum += static_cast<double>(place) * row[order[place]];
    centre.push_back(sum);
  }
  Indices out = all_indices(static_cast<int64_t>(share.size()));
  std::stable_sort(out.begin(), out.end(), [&](int64_t a, int64_t b) {
    if (!defined(centre[a]) || !defined(centre[b]))
      return defined(centre[a]) && !defined(centre[b]);
    return centre[a] < centre[b];
  });
  return out;
}

}  // namespace switchyard
