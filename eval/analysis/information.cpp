#include "eval/analysis/information.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace switchyard {
namespace {

constexpr double kTinyBits = 1e-12;

Table class_counts(const SequenceCounts& counts, const Indices& list) {
  Table out(counts.classes, Row(counts.experts));
  for (int64_t s : list) {
    const int64_t* count = counts.of_classes(s);
    for (int64_t c = 0; c < counts.classes; ++c)
      for (int64_t e = 0; e < counts.experts; ++e) out[c][e] += double(*count++);
  }
  return out;
}

Table weighted(Table joint, DomainWeight weight) {
  return weight == DomainWeight::Equal ? scaled_rows(std::move(joint)) : joint;
}

// sum_c p(c) I(domain; expert | c), as counted.
double conditional_bits(const SequenceCounts& counts, const Indices& domain, int64_t domains) {
  std::vector<Table> joint(counts.classes, Table(domains, Row(counts.experts)));
  for (size_t s = 0; s < domain.size(); ++s) {
    const int64_t* count = counts.of_classes(static_cast<int64_t>(s));
    for (int64_t c = 0; c < counts.classes; ++c)
      for (double& cell : joint[c][domain[s]]) cell += double(*count++);
  }
  double bits = 0, all = 0;
  for (const auto& table : joint) {
    double total = 0;
    for (const auto& row : table) total = std::accumulate(row.begin(), row.end(), total);
    if (total > 0) bits += total * mutual_information(table).bits;
    all += total;
  }
  if (all == 0) return kUndefined;
  return bits / all < kTinyBits ? 0 : bits / all;
}

Indices moved(const Indices& domain, const Indices& order) {
  Indices out(domain.size());
  for (size_t s = 0; s < out.size(); ++s) out[s] = domain[order[s]];
  return out;
}

void push_curve(NmiCurve& out, const MutualInformation& info, Row null, Row boot) {
  out.information.push_back(info);
  out.nmi.push_back(info.nmi());
  out.lo.push_back(percentile(boot, 2.5));
  out.hi.push_back(percentile(boot, 97.5));
  out.null95.push_back(percentile(null, 95));
  out.p.push_back(permutation_p(info.nmi(), null));
  out.null.push_back(std::move(null));
  out.boot.push_back(std::move(boot));
}

void push_given_class(DomainInformation& out, const SequenceCounts& counts, const TraceView& trace,
                      const NullPlan& plan, double divisor) {
  const auto domains = static_cast<int64_t>(trace.domains.size());
  const double bits = conditional_bits(counts, trace.domain, domains);
  Row null;
  for (const auto& order : plan.permutations)
    null.push_back(conditional_bits(counts, moved(trace.domain, order), domains) / divisor);
  out.given_class_bits.push_back(bits);
  out.given_class.push_back(bits / divisor);
  out.given_class_null95.push_back(percentile(null, 95));
  out.given_class_p.push_back(permutation_p(bits / divisor, null));
}

// The labelled tokens of one site in file order, with the routed slots of each. Narrow types: every
// replicate streams through them.
struct LabelledTokens {
  std::vector<int32_t> label;   // [n]
  std::vector<uint16_t> count;  // [n] routed slots of the token
  std::vector<int16_t> expert;  // [sum of count]
  Indices run;                  // [S+1] labelled tokens before each sequence
};

LabelledTokens labelled_tokens(const TraceView& trace, const TraceSite& site) {
  const TraceLevel& level = trace.level_of(site);
  LabelledTokens out{{}, {}, {}, {0}};
  for (int64_t s = 0; s < trace.sequences(); ++s) {
    for (int64_t t = level.seq_offset[s]; t < level.seq_offset[s + 1]; ++t) {
      if (level.label[t] < 0) continue;
      const size_t before = out.expert.size();
      for (int64_t a = site.token_offset[t]; a < site.token_offset[t + 1]; ++a)
        if (site.slot[a] < site.experts) out.expert.push_back(site.slot[a]);
      out.label.push_back(level.label[t]);
      out.count.push_back(static_cast<uint16_t>(out.expert.size() - before));
    }
    out.run.push_back(static_cast<int64_t>(out.label.size()));
  }
  return out;
}

// Class x expert table when the label runs are laid down in the order given.
Table laid_down(const LabelledTokens& tokens, const Indices& order, int64_t classes,
                int64_t experts) {
  Indices count(classes * experts);
  const int16_t* expert = tokens.expert.data();
  const uint16_t* slots = tokens.count.data();
  for (int64_t s : order) {
    for (int64_t i = tokens.run[s]; i < tokens.run[s + 1]; ++i) {
      int64_t* row = count.data() + tokens.label[i] * experts;
      for (const int16_t* end = expert + *slots++; expert != end;) ++row[*expert++];
    }
  }
  Table out(classes);
  for (int64_t c = 0; c < classes; ++c)
    out[c].assign(count.begin() + c * experts, count.begin() + (c + 1) * experts);
  return out;
}

Row class_null(const TraceView& trace, const TraceSite& site, const SequenceCounts& counts,
               const IndexTable& shuffles) {
  const auto replicates = static_cast<int64_t>(shuffles.size());
  Row out(replicates, kUndefined);
  if (counts.classes == 0) return out;
  const LabelledTokens tokens = labelled_tokens(trace, site);
  at::parallel_for(0, replicates, 1, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r)
      out[r] =
          mutual_information(laid_down(tokens, shuffles[r], counts.classes, counts.experts)).nmi();
  });
  return out;
}

}  // namespace

double MutualInformation::divisor() const {
  const double out = std::min(h_label, h_expert);
  return out < kTinyBits ? kUndefined : out;
}

MutualInformation mutual_information(const Table& joint) {
  MutualInformation out;
  Row rows, columns(joint.empty() ? 0 : joint[0].size());
  for (const auto& row : joint) {
    rows.push_back(std::accumulate(row.begin(), row.end(), 0.0));
    for (size_t e = 0; e < row.size(); ++e) columns[e] += row[e];
  }
  const double total = std::accumulate(rows.begin(), rows.end(), 0.0);
  if (!(total > 0)) return out;
  out.h_label = entropy_bits(rows);
  out.h_expert = entropy_bits(columns);
  double bits = 0;
  for (size_t d = 0; d < joint.size(); ++d)
    for (size_t e = 0; e < columns.size(); ++e)
      if (joint[d][e] > 0)
        bits += joint[d][e] / total * std::log2(joint[d][e] * total / (rows[d] * columns[e]));
  out.bits = bits < kTinyBits ? 0 : bits;
  return out;
}

Table scaled_rows(Table rows) {
  for (auto& row : rows) {
    const double total = std::accumulate(row.begin(), row.end(), 0.0);
    for (double& x : row) x = total > 0 ? x / total : 0;
  }
  return rows;
}

DomainInformation nmi_domain(const TraceView& trace, const std::vector<SequenceCounts>& counts,
                             const NullPlan& plan, DomainWeight weight) {
  const auto domains = static_cast<int64_t>(trace.domains.size());
  const Indices all = all_indices(trace.sequences());
  DomainInformation out;
  out.status = plan.status;
  out.null_kind = plan.kind;
  out.null_unit = plan.unit;
  out.draws = plan.draws;
  for (const auto& site : counts) {
    const auto information = [&](const Indices& list, const Indices& domain) {
      return mutual_information(weighted(domain_counts(site, list, domain, domains), weight));
    };
    const auto observed = information(all, trace.domain);
    Row null, boot;
    for (const auto& order : plan.permutations)
      null.push_back(information(all, moved(trace.domain, order)).nmi());
    for (const auto& list : plan.resamples) {
      Indices domain;
      for (int64_t s : list) domain.push_back(trace.domain[s]);
      boot.push_back(information(list, domain).nmi());
    }
    push_curve(out, observed, std::move(null), std::move(boot));
    push_given_class(out, site, trace, plan, observed.divisor());
  }
  return out;
}

NmiCurve nmi_class(const TraceView& trace, const std::vector<SequenceCounts>& counts,
                   const NullPlan& plan) {
  const Indices all = all_indices(trace.sequences());
  NmiCurve out;
  for (size_t l = 0; l < counts.size(); ++l) {
    Row boot;
    for (const auto& list : plan.resamples)
      boot.push_back(mutual_information(class_counts(counts[l], list)).nmi());
    push_curve(out, mutual_information(class_counts(counts[l], all)),
               class_null(trace, trace.sites[l], counts[l], plan.shuffles), std::move(boot));
  }
  return out;
}

}  // namespace switchyard
