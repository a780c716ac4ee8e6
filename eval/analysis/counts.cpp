#include "eval/analysis/counts.h"

namespace switchyard {
namespace {

SequenceCounts count_site(const TraceView& trace, const TraceSite& site) {
  const TraceLevel& level = trace.level_of(site);
  const int64_t sequences = trace.sequences(), experts = site.experts;
  const auto classes = static_cast<int64_t>(level.label.empty() ? 0 : trace.classes.size());
  SequenceCounts out{experts, classes, std::vector<int64_t>(sequences * experts),
                     std::vector<int64_t>(sequences * classes * experts)};
  for (int64_t s = 0; s < sequences; ++s) {
    for (int64_t t = level.seq_offset[s]; t < level.seq_offset[s + 1]; ++t) {
      const int64_t label = classes > 0 ? level.label[t] : -1;
      for (int64_t a = site.token_offset[t]; a < site.token_offset[t + 1]; ++a) {
        if (site.slot[a] >= experts) continue;
        ++out.expert[s * experts + site.slot[a]];
        if (label >= 0) ++out.class_expert[(s * classes + label) * experts + site.slot[a]];
      }
    }
  }
  return out;
}

}  // namespace

std::vector<SequenceCounts> count_sequences(const TraceView& trace) {
  std::vector<SequenceCounts> out;
  for (const auto& site : trace.sites) out.push_back(count_site(trace, site));
  return out;
}

Table domain_counts(const SequenceCounts& counts, const Indices& list, const Indices& domain,
                    int64_t domains) {
  Table out(domains, Row(counts.experts));
  for (size_t i = 0; i < list.size(); ++i) {
    const int64_t* count = counts.of(list[i]);
    Row& row = out[domain[i]];
    for (int64_t e = 0; e < counts.experts; ++e) row[e] += static_cast<double>(count[e]);
  }
  return out;
}

}  // namespace switchyard
