// Figure 13b: share of the experts in two runs, B's experts in the places of those of A.

#include <algorithm>

#include "core/base/text.h"
#include "core/io/json.h"
#include "eval/analysis/expert_match.h"
#include "eval/report/figures/compare_figures.h"
#include "eval/report/figures/figures.h"
#include "eval/report/number.h"
#include "eval/report/palette.h"
#include "eval/report/scales.h"

namespace switchyard {
namespace {

constexpr double kLeft = 24, kTop = 34, kWidth = 24, kHeight = 16;

struct Pair {
  const Routing &a, &b;
  IndexTable match;  // [layer][expert of A]
};

/// Same sites and experts, domains by name in the same order: else profiles do not compare.
bool same_shape(const Routing& a, const Routing& b) {
  if (a.layers() != b.layers() || a.trace.domains.size() != b.trace.domains.size()) return false;
  for (size_t l = 0; l < a.trace.sites.size(); ++l)
    if (a.trace.sites[l].experts != b.trace.sites[l].experts) return false;
  for (size_t d = 0; d < a.trace.domains.size(); ++d)
    if (a.trace.domains[d].name != b.trace.domains[d].name) return false;
  return a.trace.classes == b.trace.classes;
}

enum class Part { A, B, Change };

Svg draw(const Pair& p, int64_t domain, Part part) {
  const auto d = static_cast<size_t>(domain);
  const auto columns = static_cast<double>(p.a.tracks.tracks.front().size());
  Svg svg(kLeft + std::max(kWidth * columns, 150.0) + 6,
          kTop + kHeight * static_cast<double>(p.a.layers()) + 18);
  const char* name = part == Part::A ? " · A" : part == Part::B ? " · B" : " · B − A";
  svg.text(kLeft, 12, short_name(p.a.trace.domains[d].name, 14) + name, "b");
  svg.text(kLeft, 26, part == Part::Change ? "points" : "share", "s g");
  for (size_t l = 0; l < p.match.size(); ++l) {
    const double y = kTop + kHeight * static_cast<double>(l);
    svg.text(kLeft - 6, y + 12, cat(l), "s g", "end");
    for (size_t t = 0; t < p.a.tracks.tracks[l].size(); ++t) {
      const int64_t e = p.a.tracks.tracks[l][t];
      if (e < 0) continue;
      const int64_t other = p.match[l][static_cast<size_t>(e)];
      const double x = kLeft + kWidth * static_cast<double>(t);
      const double of_a = p.a.load.share[l][d][static_cast<size_t>(e)];
      if (part != Part::A && other < 0) {
        svg.line(x, y + kHeight - 1, x + kHeight - 1, y, "hatch");
        continue;
      }
      const double of_b = part == Part::A ? of_a : p.b.load.share[l][d][static_cast<size_t>(other)];
      const Routing& r = part == Part::A ? p.a : p.b;
      svg.rect(
          x, y, kWidth - 1, kHeight - 1,
          (part == Part::Change ? diverging_class(of_b - of_a, 0.3)
                                : share_class(of_b, static_cast<double>(r.trace.sites[l].experts),
                                              r.mean_k(static_cast<int64_t>(l)))) +
              " cell",
          cat(p.a.trace.domains[d].name, name, ", layer ", l, ", ", expert_name(e), ": ",
              part == Part::Change ? signed_text(100 * (of_b - of_a), 1) : percent_text(of_b, 1)));
    }
  }
  return svg;
}

}  // namespace

Figure compare_share_figure(const ReportData& a, const ReportData& b) {
  Figure f;
  f.slug = "ab-share", f.number = "13b", f.title = "Experts by layer and domain, A and B";
  f.section = "answer", f.unit = "share";
  f.reading =
      "Left and middle on one scale, right the difference. Columns are A's experts with their "
      "matches in B; crossed out: no match.";
  f.definition =
      "Experts of B are matched to A one to one within a layer by the overlap of their (domain, "
      "class) profiles; pairs with an overlap under 0.5 are left out. Names are A's.";
  if (!a.routing || !b.routing || !same_shape(*a.routing, *b.routing)) {
    f.empty = "Needs two traces with the same layers, experts, domains and classes.";
    return f;
  }
  Pair p{*a.routing, *b.routing, {}};
  int64_t matched = 0, experts = 0;
  Csv csv("layer,expert_a,expert_b,overlap,domain,share_a,share_b");
  for (size_t l = 0; l < p.a.trace.sites.size(); ++l) {
    const auto m = match_experts(expert_profiles(p.a.trace, p.a.counts[l]),
                                 expert_profiles(p.b.trace, p.b.counts[l]));
    for (size_t e = 0; e < m.match.size(); ++e, ++experts) {
      const int64_t other = m.match[e];
      if (other < 0) continue;
      ++matched;
      for (size_t d = 0; d < p.a.trace.domains.size(); ++d)
        csv.cell(static_cast<int64_t>(l))
            .cell(static_cast<int64_t>(e))
            .cell(other)
            .cell(m.overlap[e][static_cast<size_t>(other)])
            .cell(p.a.trace.domains[d].name)
            .cell(p.a.load.share[l][d][e])
            .cell(p.b.load.share[l][d][static_cast<size_t>(other)])
            .end();
    }
    p.match.push_back(m.match);
  }
  f.finding = cat(matched, " of ", experts, " experts found a partner with an overlap above 0.5.");
  std::vector<Svg> unseen, seen;
  for (int64_t d : p.a.order)
    for (Part part : {Part::A, Part::B, Part::Change})
      (p.a.trace.domains[static_cast<size_t>(d)].seen ? seen : unseen).push_back(draw(p, d, part));
  if (!unseen.empty()) f.views.push_back({"unseen", "unseen", unseen, -1, ""});
  if (!seen.empty()) f.views.push_back({"seen", "seen", seen, -1, ""});
  f.sample = trace_sample(p.a);
  f.csv = csv.text();
  f.data = Json{{"match", p.match}}.dump();
  return f;
}

}  // namespace switchyard
