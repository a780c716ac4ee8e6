#include "eval/analysis/entropy.h"

#include <cmath>

namespace switchyard {
namespace {

constexpr double kTinyBits = 1e-12;

// Sums over the tokens of one domain.
struct ScoreSums {
  double bits = 0, tokens = 0;
  Row softmax;
};

double row_bits(const double* p, int64_t columns) {
  double bits = 0;
  for (int64_t c = 0; c < columns; ++c)
    if (p[c] > 0) bits -= p[c] * std::log2(p[c]);
  return bits;
}

std::vector<ScoreSums> sum_scores(const TraceView& trace, const TraceSite& site) {
  const TraceLevel& level = trace.level_of(site);
  std::vector<ScoreSums> out(trace.domains.size(), {0, 0, Row(site.columns)});
  if (site.columns == 0) return out;
  for (int64_t s = 0; s < trace.sequences(); ++s) {
    ScoreSums& sums = out[trace.domain[s]];
    for (int64_t t = level.seq_offset[s]; t < level.seq_offset[s + 1]; ++t) {
      const double* p = site.scores.data() + t * site.columns;
      sums.bits += row_bits(p, site.columns);
      sums.tokens += 1;
      for (int64_t c = 0; c < site.columns; ++c) sums.softmax[c] += p[c];
    }
  }
  return out;
}

// Adds domains, each divided by its tokens (`equal`) or as it is.
ScoreSums combine(const std::vector<ScoreSums>& domains, bool equal) {
  ScoreSums out{0, 0, Row(domains.empty() ? 0 : domains[0].softmax.size())};
  for (const auto& sums : domains) {
    if (sums.tokens == 0) continue;
    const double scale = equal ? 1 / sums.tokens : 1;
    out.bits += sums.bits * scale;
    out.tokens += sums.tokens * scale;
    for (size_t c = 0; c < out.softmax.size(); ++c) out.softmax[c] += sums.softmax[c] * scale;
  }
  return out;
}

void add(const ScoreSums& sums, Row& token_bits, Row& softmax_bits, Row& information) {
  token_bits.push_back(sums.tokens > 0 ? sums.bits / sums.tokens : kUndefined);
  softmax_bits.push_back(entropy_bits(sums.softmax));
  const double bits = softmax_bits.back() - token_bits.back();
  information.push_back(bits < kTinyBits ? 0 : bits);
}

}  // namespace

RouterEntropy router_entropy(const TraceView& trace, const LoadShare& load) {
  RouterEntropy out;
  for (size_t l = 0; l < trace.sites.size(); ++l) {
    const TraceSite& site = trace.sites[l];
    const auto domains = sum_scores(trace, site);
    Row bits;
    for (const auto& sums : domains)
      bits.push_back(sums.tokens > 0 ? sums.bits / sums.tokens : kUndefined);
    out.token_bits_domain.push_back(bits);
    add(combine(domains, true), out.token_bits, out.mean_softmax_bits, out.mutual_information);
    add(combine(domains, false), out.token_bits_pooled, out.mean_softmax_bits_pooled,
        out.mutual_information_pooled);
    out.assignment_bits.push_back(entropy_bits(load.mean_share[l]));
    out.log2_experts.push_back(std::log2(site.experts));
    out.log2_columns.push_back(site.columns > 0 ? std::log2(site.columns) : kUndefined);
  }
  return out;
}

}  // namespace switchyard
