#include "eval/analysis/tracks.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "eval/analysis/matching.h"

namespace switchyard {
namespace {

int64_t total_flow(const IndexTable& flow) {
  int64_t total = 0;
  for (const auto& row : flow) total = std::accumulate(row.begin(), row.end(), total);
  return total;
}

// Share of the flow on matched pairs; kUndefined without flow.
double kept_flow(const IndexTable& flow, const Indices& match) {
  int64_t kept = 0;
  for (size_t a = 0; a < match.size(); ++a)
    if (match[a] >= 0) kept += flow[a][match[a]];
  const int64_t total = total_flow(flow);
  return total > 0 ? static_cast<double>(kept) / total : kUndefined;
}

// Tokens with a first choice at both sites, sequence after sequence. Narrow types: every replicate
// streams through them.
struct Eligible {
  std::vector<int16_t> a, b;  // first choices
  Indices run;                // [S+1] eligible tokens before each sequence
};

Eligible eligible_tokens(const TraceView& trace, const Indices& a, const Indices& b) {
  Eligible out{{}, {}, {0}};
  const auto& offset = trace.levels[0].seq_offset;
  for (int64_t s = 0; s < trace.sequences(); ++s) {
    for (int64_t t = offset[s]; t < offset[s + 1] && !a.empty() && !b.empty(); ++t) {
      if (a[t] < 0 || b[t] < 0) continue;
      out.a.push_back(static_cast<int16_t>(a[t]));
      out.b.push_back(static_cast<int16_t>(b[t]));
    }
    out.run.push_back(static_cast<int64_t>(out.a.size()));
  }
  return out;
}

// Flow when the choices at b are laid down in the sequence order given.
IndexTable laid_down(const Eligible& tokens, const Indices& order, int64_t rows, int64_t columns) {
  Indices count(rows * columns);
  int64_t token = 0;
  for (int64_t s : order)
    for (int64_t i = tokens.run[s]; i < tokens.run[s + 1]; ++i)
      ++count[tokens.a[token++] * columns + tokens.b[i]];
  IndexTable out(rows);
  for (int64_t r = 0; r < rows; ++r)
    out[r].assign(count.begin() + r * columns, count.begin() + (r + 1) * columns);
  return out;
}

Row null_of(const Eligible& tokens, const IndexTable& permutations, int64_t rows, int64_t columns) {
  const auto replicates = static_cast<int64_t>(permutations.size());
  Row out(replicates, kUndefined);
  at::parallel_for(0, replicates, 1, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) {
      const IndexTable flow = laid_down(tokens, permutations[r], rows, columns);
      out[r] = kept_flow(flow, maximum_matching(flow));
    }
  });
  return out;
}

// Places the experts of a layer on the tracks of the deeper one.
Indices place(const IndexTable& flow, const Indices& match, const Indices& deeper) {
  Indices out(deeper.size(), -1), left;
  for (size_t a = 0; a < flow.size(); ++a) {
    if (match[a] < 0 || flow[a][match[a]] == 0) {
      left.push_back(static_cast<int64_t>(a));
      continue;
    }
    const auto track = std::find(deeper.begin(), deeper.end(), match[a]) - deeper.begin();
    out[track] = static_cast<int64_t>(a);
  }
  size_t next = 0;
  for (int64_t expert : left) {
    while (out[next] >= 0) ++next;
    out[next] = expert;
  }
  return out;
}

int64_t widest(const TraceView& trace) {
  int64_t out = 0;
  for (const auto& site : trace.sites) out = std::max(out, site.experts);
  return out;
}

IndexTable finest_choices(const TraceView& trace) {
  IndexTable out;
  for (size_t l = 0; l < trace.sites.size(); ++l)
    out.push_back(finest_first_choice(trace, static_cast<int64_t>(l)));
  return out;
}

void add_gap(ExpertTracks& out, const IndexTable& flow, const Indices& match, Row null) {
  const double kept = kept_flow(flow, match), null95 = percentile(null, 95);
  out.flow_count.push_back(flow);
  out.kept.push_back(kept);
  out.null95.push_back(null95);
  std::optional<bool> arbitrary;
  if (defined(kept) && defined(null95)) arbitrary = kept <= null95;
  out.order_arbitrary.push_back(arbitrary);
  out.null_kept.push_back(std::move(null));
}

Indices spread_columns(int64_t layers, int64_t columns) {
  const int64_t n = std::min(layers, columns);
  if (n < 2) return all_indices(n);
  Indices out;
  for (int64_t i = 0; i < n; ++i)
    out.push_back(static_cast<int64_t>(std::floor(double(i) * (layers - 1) / (n - 1) + 0.5)));
  return out;
}

Row node_shares(const Indices& choice, int64_t experts) {
  Row count(experts);
  for (int64_t e : choice)
    if (e >= 0) count[e] += 1;
  const double total = std::accumulate(count.begin(), count.end(), 0.0);
  for (double& x : count) x = total > 0 ? x / total : kUndefined;
  return count;
}

void add_links(FlowFigure& out, const IndexTable& flow, double threshold, int64_t max_links) {
  const auto total = static_cast<double>(total_flow(flow));
  Table share(flow.size());
  std::vector<std::pair<int64_t, int64_t>> shown;
  for (size_t a = 0; a < flow.size(); ++a)
    for (size_t b = 0; b < flow[a].size(); ++b) {
      share[a].push_back(total > 0 ? flow[a][b] / total : kUndefined);
      if (share[a][b] >= threshold) shown.emplace_back(a, b);
    }
  std::stable_sort(shown.begin(), shown.end(), [&](const auto& x, const auto& y) {
    return share[x.first][x.second] > share[y.first][y.second];
  });
  if (static_cast<int64_t>(shown.size()) > max_links) shown.resize(max_links);
  std::sort(shown.begin(), shown.end());
  double sum = 0;
  for (const auto& [a, b] : shown) sum += share[a][b];
  out.link.push_back(std::move(share));
  out.link_shown.push_back(std::move(shown));
  out.shown.push_back(total > 0 ? sum : kUndefined);
}

}  // namespace

Indices finest_first_choice(const TraceView& trace, int64_t site_index) {
  const TraceSite& site = trace.sites.at(site_index);
  const TraceLevel& level = trace.level_of(site);
  if (site.level > 0 && level.member_of.empty()) return {};
  Indices own(site.tokens());
  for (int64_t t = 0; t < site.tokens(); ++t) own[t] = site.first_choice(t);
  if (site.level == 0) return own;
  Indices out(level.member_of.size());
  for (size_t t = 0; t < out.size(); ++t) out[t] = own[level.member_of[t]];
  return out;
}

IndexTable first_choice_flow(const TraceView& trace, int64_t site_a, int64_t site_b) {
  const auto tokens = eligible_tokens(trace, finest_first_choice(trace, site_a),
                                      finest_first_choice(trace, site_b));
  return laid_down(tokens, all_indices(trace.sequences()), trace.sites[site_a].experts,
                   trace.sites[site_b].experts);
}

Indices ExpertTracks::track_of(int64_t layer, int64_t experts) const {
  Indices out(experts, -1);
  for (size_t track = 0; track < tracks.at(layer).size(); ++track)
    if (tracks[layer][track] >= 0) out.at(tracks[layer][track]) = static_cast<int64_t>(track);
  return out;
}

ExpertTracks expert_tracks(const TraceView& trace, const IndexTable& permutations) {
  ExpertTracks out;
  const auto layers = static_cast<int64_t>(trace.sites.size());
  const IndexTable choice = finest_choices(trace);
  const bool complete = std::none_of(trace.sites.begin(), trace.sites.end(), [&](const auto& site) {
    return site.level > 0 && trace.level_of(site).member_of.empty();
  });
  out.status = complete ? "ok" : "partial";
  if (layers == 0) return out;
  out.tracks.assign(layers, Indices(widest(trace), -1));
  for (int64_t e = 0; e < trace.sites.back().experts; ++e) out.tracks.back()[e] = e;
  const Indices in_order = all_indices(trace.sequences());
  IndexTable matches;
  for (int64_t l = 0; l + 1 < layers; ++l) {
    const Eligible tokens = eligible_tokens(trace, choice[l], choice[l + 1]);
    const int64_t rows = trace.sites[l].experts, columns = trace.sites[l + 1].experts;
    const IndexTable flow = laid_down(tokens, in_order, rows, columns);
    matches.push_back(maximum_matching(flow));
    add_gap(out, flow, matches.back(), null_of(tokens, permutations, rows, columns));
  }
  for (int64_t l = layers - 2; l >= 0; --l)
    out.tracks[l] = place(out.flow_count[l], matches[l], out.tracks[l + 1]);
  return out;
}

FlowFigure flow_figure(const TraceView& trace, int64_t columns, double threshold,
                       int64_t max_links) {
  FlowFigure out;
  out.columns = spread_columns(static_cast<int64_t>(trace.sites.size()), columns);
  for (size_t c = 0; c < out.columns.size(); ++c) {
    const int64_t site = out.columns[c];
    out.node.push_back(node_shares(finest_first_choice(trace, site), trace.sites[site].experts));
    if (c > 0)
      add_links(out, first_choice_flow(trace, out.columns[c - 1], site), threshold, max_links);
  }
  return out;
}

}  // namespace switchyard
