#include "eval/analysis/js.h"

#include "eval/analysis/information.h"

namespace switchyard {
namespace {

using Cube = std::vector<Table>;  // [a][b][replicate]

Table pairwise(const Table& rows, double diagonal) {
  const size_t n = rows.size();
  Table out(n, Row(n, diagonal));
  for (size_t a = 0; a < n; ++a)
    for (size_t b = a + 1; b < n; ++b) out[a][b] = out[b][a] = js_bits(rows[a], rows[b]);
  return out;
}

void append(Cube& replicates, const Table& table) {
  for (size_t a = 0; a < table.size(); ++a)
    for (size_t b = 0; b < table.size(); ++b) replicates[a][b].push_back(table[a][b]);
}

Cube empty_cube(size_t n) { return Cube(n, Table(n)); }

template <class Function>
Table each_pair(const Cube& replicates, Function function) {
  const size_t n = replicates.size();
  Table out(n, Row(n, kUndefined));
  for (size_t a = 0; a < n; ++a)
    for (size_t b = 0; b < n; ++b) out[a][b] = function(a, b, replicates[a][b]);
  return out;
}

Table percentiles(const Cube& replicates, double q) {
  return each_pair(replicates,
                   [q](size_t, size_t, const Row& values) { return percentile(values, q); });
}

Indices domains_of(const TraceView& trace, const Indices& list) {
  Indices out;
  for (int64_t s : list) out.push_back(trace.domain[s]);
  return out;
}

Indices filled_sequences(const TraceView& trace) {
  Indices out(trace.domains.size());
  const auto& offset = trace.levels[0].seq_offset;
  for (int64_t s = 0; s < trace.sequences(); ++s) out[trace.domain[s]] += offset[s + 1] > offset[s];
  return out;
}

// Rows of domains that have too few sequences become all 0, so that their JS is undefined.
Table blanked(Table rows, const Indices& sequences, int64_t min_sequences) {
  for (size_t d = 0; d < rows.size(); ++d)
    if (sequences[d] < min_sequences) rows[d].assign(rows[d].size(), 0);
  return rows;
}

// JS between the halves of each usable domain, [d][replicate].
Table split_halves(const TraceView& trace, const SequenceCounts& counts, const IndexTable& splits,
                   const Indices& usable) {
  const auto domains = static_cast<int64_t>(trace.domains.size());
  Table out(domains);
  const Indices all = all_indices(trace.sequences());
  for (const auto& half : splits) {
    Indices row_of(all.size());
    for (size_t s = 0; s < all.size(); ++s) row_of[s] = trace.domain[s] + domains * half[s];
    const Table rows = domain_counts(counts, all, row_of, 2 * domains);
    for (int64_t d : usable) out[d].push_back(js_bits(rows[d], rows[d + domains]));
  }
  return out;
}

Row defined_only(Row values) {
  std::erase_if(values, [](double x) { return !defined(x); });
  return values;
}

void push_halves(JsDivergence& out, const Table& halves) {
  Row high, center;
  for (const auto& values : halves) {
    high.push_back(percentile(values, 95));
    center.push_back(mean(defined_only(values)));
  }
  out.split_half95.push_back(high);
  out.split_half_mean.push_back(center);
}

void push_against_null(JsDivergence& out) {
  const Table& js = out.js.back();
  const Row &high = out.split_half95.back(), &center = out.split_half_mean.back();
  Table debiased = js;
  std::vector<std::vector<std::optional<bool>>> within(js.size());
  for (size_t a = 0; a < js.size(); ++a) {
    for (size_t b = 0; b < js.size(); ++b) {
      debiased[a][b] -= (center[a] + center[b]) / 2;
      std::optional<bool> inside;
      if (defined(js[a][b])) inside = js[a][b] <= high[a] || js[a][b] <= high[b];
      within[a].push_back(inside);
    }
  }
  out.js_debiased.push_back(debiased);
  out.within_null.push_back(within);
}

Indices nearest_seen(const TraceView& trace, const Table& js) {
  Indices out(js.size(), -1);
  for (size_t a = 0; a < js.size(); ++a)
    for (size_t b = 0; b < js.size() && !trace.domains[a].seen; ++b)
      if (trace.domains[b].seen && defined(js[a][b]) && (out[a] < 0 || js[a][b] < js[a][out[a]]))
        out[a] = static_cast<int64_t>(b);
  return out;
}

// Mean over groups of the JS between the versions of a group in two domains.
Table group_means(const TraceView& trace, const SequenceCounts& counts) {
  const auto domains = static_cast<int64_t>(trace.domains.size());
  std::vector<Indices> members(trace.groups.size());
  for (int64_t s = 0; s < trace.sequences(); ++s)
    if (trace.group[s] >= 0) members[trace.group[s]].push_back(s);
  Cube values = empty_cube(domains);
  for (const auto& list : members) {
    const Table rows = domain_counts(counts, list, domains_of(trace, list), domains);
    append(values, pairwise(rows, kUndefined));
  }
  return each_pair(values, [](size_t, size_t, const Row& v) { return mean(defined_only(v)); });
}

}  // namespace

JsDivergence js_divergence(const TraceView& trace, const std::vector<SequenceCounts>& counts,
                           const IndexTable& resamples, const IndexTable& splits,
                           int64_t min_sequences) {
  const auto domains = static_cast<int64_t>(trace.domains.size());
  const Indices all = all_indices(trace.sequences());
  JsDivergence out;
  out.sequences = filled_sequences(trace);
  Indices usable = all_indices(domains);
  std::erase_if(usable, [&](int64_t d) { return out.sequences[d] < min_sequences; });
  for (const auto& site : counts) {
    const auto js_of = [&](const Indices& list) {
      Table rows = domain_counts(site, list, domains_of(trace, list), domains);
      return pairwise(blanked(std::move(rows), out.sequences, min_sequences), kUndefined);
    };
    out.js.push_back(js_of(all));
    Cube boot = empty_cube(domains);
    for (const auto& list : resamples) append(boot, js_of(list));
    out.lo.push_back(percentiles(boot, 2.5));
    out.hi.push_back(percentiles(boot, 97.5));
    push_halves(out, split_halves(trace, site, splits, usable));
    push_against_null(out);
    out.nearest_seen.push_back(nearest_seen(trace, out.js.back()));
  }
  return out;
}

PairedDivergence paired_divergence(const TraceView& trace,
                                   const std::vector<SequenceCounts>& counts,
                                   const IndexTable& permutations) {
  const auto domains = static_cast<int64_t>(trace.domains.size());
  const Indices all = all_indices(trace.sequences());
  PairedDivergence out;
  for (const auto& site : counts) {
    const Table rows = domain_counts(site, all, trace.domain, domains);
    Cube null = empty_cube(domains);
    Row nmi_null;
    for (const auto& order : permutations) {
      Indices domain(all.size());
      for (size_t s = 0; s < all.size(); ++s) domain[s] = trace.domain[order[s]];
      const Table moved = domain_counts(site, all, domain, domains);
      append(null, pairwise(moved, 0));
      nmi_null.push_back(mutual_information(moved).nmi());
    }
    const Table js = pairwise(rows, 0);
    out.js.push_back(js);
    out.null95.push_back(percentiles(null, 95));
    out.p.push_back(each_pair(null, [&](size_t a, size_t b, const Row& values) {
      return a == b ? kUndefined : permutation_p(js[a][b], values);
    }));
    out.group_mean.push_back(group_means(trace, site));
    out.nmi.push_back(mutual_information(rows).nmi());
    out.nmi_null95.push_back(percentile(nmi_null, 95));
    out.nmi_p.push_back(permutation_p(out.nmi.back(), nmi_null));
  }
  return out;
}

}  // namespace switchyard
