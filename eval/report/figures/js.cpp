// Figure 5a: divergence between domains at each layer. Figure 5b: the same against depth.

#include <algorithm>
#include <set>

#include "core/base/text.h"
#include "core/io/json.h"
#include "eval/report/chart.h"
#include "eval/report/figures/figures.h"
#include "eval/report/number.h"
#include "eval/report/palette.h"

namespace switchyard {
namespace {

constexpr size_t kMostLines = 6;
constexpr char kEmpty[] = "Needs two domains with at least 8 sequences each.";

const std::string& name_of(const Routing& r, int64_t d) {
  return r.trace.domains[static_cast<size_t>(d)].name;
}

bool any_defined(const Routing& r) {
  for (const Table& layer : r.js.js)
    for (const Row& row : layer)
      if (std::any_of(row.begin(), row.end(), defined)) return true;
  return false;
}

struct Matrix {
  const Routing& r;
  size_t l;
  double left = 110, top = 34, cell_w, cell_h = 34;

  Matrix(const Routing& routing, size_t layer)
      : r(routing),
        l(layer),
        cell_w(std::clamp(440.0 / static_cast<double>(routing.order.size()), 30.0, 80.0)) {}

  Svg draw() const {
    const auto n = static_cast<double>(r.order.size());
    Svg svg(left + n * cell_w + 6, top + n * cell_h + 4);
    for (size_t i = 0; i < r.order.size(); ++i) {
      const bool unseen = !r.trace.domains[static_cast<size_t>(r.order[i])].seen;
      svg.text(left - 10, top + cell_h * (static_cast<double>(i) + 0.5) + 4,
               short_name(name_of(r, r.order[i]), 14), unseen ? "u" : "", "end");
      svg.text(left + cell_w * (static_cast<double>(i) + 0.5), top - 10,
               short_name(name_of(r, r.order[i]), static_cast<size_t>(cell_w / 7)),
               unseen ? "s u" : "s", "middle");
      for (size_t j = 0; j < r.order.size(); ++j) cell(svg, i, j);
    }
    return svg;
  }

  void cell(Svg& svg, size_t i, size_t j) const {
    const auto a = static_cast<size_t>(r.order[i]), b = static_cast<size_t>(r.order[j]);
    const double x = left + cell_w * static_cast<double>(j),
                 y = top + cell_h * static_cast<double>(i);
    const double js = r.js.js[l][a][b], lo = r.js.lo[l][a][b], hi = r.js.hi[l][a][b];
    const bool chance = r.js.within_null[l][a][b].value_or(false);
    const std::string shade = i == j ? "back" : plain_class(js);
    const std::string pair =
        cat(name_of(r, r.order[i]), " and ", name_of(r, r.order[j]), ", layer ", l, ": ");
    const std::string range = cat(information_text(lo), " – ", information_text(hi));
    const std::string text = i == j  ? "≤ " + information_text(r.js.split_half95[l][a])
                             : i < j ? information_text(js)
                                     : range;
    svg.rect(x, y, cell_w - 1, cell_h - 1, shade + " cell",
             i == j ? cat(name_of(r, r.order[i]), ": two halves differ by at most ", text, " bit")
                    : cat(pair, information_text(js), " bit (", range, ")",
                          chance ? ", within chance" : ""));
    if (cell_w < 44 && i > j) return;
    const std::string ink = i == j ? "" : text_on(shade);
    svg.text(x + cell_w / 2, y + cell_h / 2 + 4, text, i < j && !chance ? "b " + ink : "s " + ink,
             "middle");
  }
};

std::string finding(const Routing& r) {
  const auto l = static_cast<size_t>(r.reference);
  std::string out;
  for (int64_t a : r.order) {
    const int64_t b = r.js.nearest_seen[l][static_cast<size_t>(a)];
    if (b < 0) continue;
    const auto i = static_cast<size_t>(a), j = static_cast<size_t>(b);
    out +=
        cat(out.empty() ? "" : " ", name_of(r, a), " was never seen; its nearest seen domain is ",
            name_of(r, b), ", ", information_text(r.js.js[l][i][j]), " bit at layer ", r.reference,
            r.js.within_null[l][i][j].value_or(false)
                ? ", no more than two halves of one domain differ."
                : ", more than two halves of one domain differ.");
  }
  return out;
}

using Pair = std::pair<int64_t, int64_t>;

/// Nearest and farthest partner of each domain at the reference layer.
std::vector<Pair> chosen_pairs(const Routing& r) {
  std::set<Pair> pairs;
  std::vector<Pair> out;
  const Table& js = r.js.js[static_cast<size_t>(r.reference)];
  for (int64_t a : r.order)
    for (bool nearest : {true, false}) {
      int64_t best = -1;
      for (int64_t b : r.order) {
        const double x = js[static_cast<size_t>(a)][static_cast<size_t>(b)];
        if (!defined(x)) continue;
        if (best < 0 || (nearest ? x < js[static_cast<size_t>(a)][static_cast<size_t>(best)]
                                 : x > js[static_cast<size_t>(a)][static_cast<size_t>(best)]))
          best = b;
      }
      const Pair pair{std::min(a, best), std::max(a, best)};
      if (best >= 0 && out.size() < kMostLines && pairs.insert(pair).second) out.push_back(pair);
    }
  return out;
}

Svg draw_depth(const Routing& r) {
  ChartAxes axes;
  axes.x_hi = static_cast<double>(std::max<int64_t>(r.layers() - 1, 1));
  axes.right = 190, axes.height = 240;
  axes.x_title = "layer", axes.y_title = "JS divergence, bits";
  Chart chart(axes);
  chart.y_ticks(5, 1);
  chart.layer_ticks(r.layers());
  const auto x = layer_positions(r.layers());
  std::vector<Chart::Label> labels;
  for (const auto& [a, b] : chosen_pairs(r)) {
    Row js, lo, hi;
    for (size_t l = 0; l < r.js.js.size(); ++l) {
      js.push_back(r.js.js[l][static_cast<size_t>(a)][static_cast<size_t>(b)]);
      lo.push_back(r.js.lo[l][static_cast<size_t>(a)][static_cast<size_t>(b)]);
      hi.push_back(r.js.hi[l][static_cast<size_t>(a)][static_cast<size_t>(b)]);
    }
    const bool unseen = !r.trace.domains[static_cast<size_t>(a)].seen ||
                        !r.trace.domains[static_cast<size_t>(b)].seen;
    chart.area(x, lo, hi, "back");
    chart.curve(x, js, unseen ? "dark" : "mid");
    const std::string name =
        cat(short_name(name_of(r, a), 12), " · ", short_name(name_of(r, b), 12));
    for (size_t l = 0; l < js.size(); ++l)
      chart.mark(x[l], js[l], 2.5, unseen ? "dot" : "dot2",
                 cat(name, ", layer ", l, ": ", information_text(js[l]), " bit"));
    if (defined(js.back())) labels.push_back({js.back(), name, unseen ? "s b" : "s"});
  }
  chart.end_labels(labels);
  return chart.svg();
}

std::string csv_of(const Routing& r) {
  Csv csv("layer,domain_a,domain_b,js,lo,hi,split_half95_a,split_half95_b");
  for (size_t l = 0; l < r.js.js.size(); ++l)
    for (size_t a = 0; a < r.js.js[l].size(); ++a)
      for (size_t b = a + 1; b < r.js.js[l].size(); ++b)
        csv.cell(static_cast<int64_t>(l))
            .cell(name_of(r, static_cast<int64_t>(a)))
            .cell(name_of(r, static_cast<int64_t>(b)))
            .cell(r.js.js[l][a][b])
            .cell(r.js.lo[l][a][b])
            .cell(r.js.hi[l][a][b])
            .cell(r.js.split_half95[l][a])
            .cell(r.js.split_half95[l][b])
            .end();
  return csv.text();
}

void fill(Figure& f, const Routing& r) {
  f.sample = trace_sample(r);
  f.csv = csv_of(r);
  f.data = Json{{"js", r.js.js},
                {"lo", r.js.lo},
                {"hi", r.js.hi},
                {"split_half95", r.js.split_half95},
                {"js_debiased", r.js.js_debiased},
                {"resamples", r.plan.draws},
                {"unit_of_resampling", "sequence"}}
               .dump();
}

}  // namespace

Figure js_figure(const ReportData& data) {
  Figure f;
  f.slug = "js", f.number = "5a", f.title = "Distance between domains", f.section = "routing",
  f.unit = "bits";
  f.reading =
      "Above the diagonal the divergence in bits, below it the 95 % interval, on it what two "
      "halves of the same domain differ by. Follows the layer slider.";
  f.definition =
      "Jensen-Shannon divergence of two domains' expert shares, 0 to 1 bit; bootstrap over "
      "sequences. Counts bias it upward, so compare with the split halves, not with 0. Light: at "
      "or below either split-half 95th percentile.";
  if (!data.routing) {
    mark_untraced(f, data);
    return f;
  }
  const Routing& r = *data.routing;
  if (!any_defined(r)) {
    f.empty = kEmpty;
    return f;
  }
  f.finding = finding(r);
  f.default_layer = r.reference;
  for (int64_t l = 0; l < r.layers(); ++l)
    f.views.push_back({cat("layer", l), "", {Matrix(r, static_cast<size_t>(l)).draw()}, l, ""});
  fill(f, r);
  return f;
}

Figure js_depth_figure(const ReportData& data) {
  Figure f;
  f.slug = "js-depth", f.number = "5b", f.title = "Distance against depth", f.section = "routing",
  f.unit = "bits";
  f.reading =
      "Lines that stay on the floor are domains the router treats as one. Black: a pair with a "
      "domain never seen.";
  f.definition =
      "Nearest and farthest partner of each domain at the layer shown first, at most six pairs, "
      "with bootstrap intervals over sequences.";
  if (!data.routing) {
    mark_untraced(f, data);
    return f;
  }
  if (!any_defined(*data.routing)) {
    f.empty = kEmpty;
    return f;
  }
  f.views.push_back({"all", "", {draw_depth(*data.routing)}, -1, ""});
  fill(f, *data.routing);
  return f;
}

}  // namespace switchyard
