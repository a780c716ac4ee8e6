// Figure 9: how clear the router's choices are; what capacity drops; how many experts a token
// takes.

#include "eval/analysis/margins.h"

#include <algorithm>
#include <numeric>

#include "core/base/text.h"
#include "core/io/json.h"
#include "eval/report/chart.h"
#include "eval/report/figures/figures.h"
#include "eval/report/number.h"

namespace switchyard {
namespace {

constexpr int64_t kBins = 30;
constexpr size_t kMostLines = 6;

double largest_share(const Margins& m) {
  double most = 0;
  for (const auto* part : {&m.margin, &m.kth_gap})
    for (const Indices& bins : *part) {
      const double total = static_cast<double>(
          std::max<int64_t>(1, std::accumulate(bins.begin(), bins.end(), int64_t{0})));
      for (int64_t n : bins) most = std::max(most, static_cast<double>(n) / total);
    }
  return most;
}

Svg histogram(const Indices& bins, double median, double top, const std::string& title) {
  ChartAxes axes;
  axes.width = 272, axes.height = 190, axes.right = 12;
  axes.y_hi = 100 * top;
  axes.y_title = "% of tokens", axes.x_title = title;
  Chart chart(axes);
  chart.y_ticks(round_ticks(0, axes.y_hi, 4));
  chart.x_ticks({0, 0.25, 0.5, 0.75, 1}, {"0", "0.25", "0.5", "0.75", "1"});
  const int64_t total = std::accumulate(bins.begin(), bins.end(), int64_t{0});
  const double width = (chart.x(1) - chart.x(0)) / static_cast<double>(bins.size());
  for (size_t b = 0; b < bins.size() && total > 0; ++b) {
    const double share = static_cast<double>(bins[b]) / static_cast<double>(total);
    const double y = chart.y(100 * share), from = static_cast<double>(b) / kBins;
    chart.svg().rect(chart.x(from) + 0.5, y, width - 1, chart.y(0) - y, "dot2 cell",
                     cat(fixed_text(from, 2), " to ", fixed_text(from + 1.0 / kBins, 2), ": ",
                         percent_text(share, 1), " of ", count_text(total), " tokens"));
  }
  if (defined(median)) {
    chart.svg().line(chart.x(median), chart.y(0), chart.x(median), axes.top - 6, "main");
    const bool late = median > 0.6;
    chart.svg().text(chart.x(median) + (late ? -5 : 5), axes.top + 4,
                     cat("median ", fixed_text(median, 2)), "s a halo", late ? "end" : "start");
  }
  return chart.svg();
}

/// One line per domain against depth, unseen ones black; bands where given.
Svg lines(const Routing& r, const Table& value, const Table* lo, const Table* hi,
          const std::string& title) {
  ChartAxes axes;
  axes.x_hi = static_cast<double>(std::max<int64_t>(r.layers() - 1, 1));
  axes.width = 272, axes.height = 190, axes.right = 92;
  axes.x_title = "layer", axes.y_title = title, axes.y_hi = 1e-9;
  for (const Table* table : {&value, hi})
    for (size_t l = 0; table && l < table->size(); ++l)
      for (double x : (*table)[l])
        if (defined(x)) axes.y_hi = std::max(axes.y_hi, 1.05 * x);
  Chart chart(axes);
  chart.y_ticks(round_ticks(0, axes.y_hi, 4));
  chart.layer_ticks(r.layers());
  const auto x = layer_positions(r.layers());
  std::vector<Chart::Label> labels;
  for (size_t place = 0; place < std::min(r.order.size(), kMostLines); ++place) {
    const auto d = static_cast<size_t>(r.order[place]);
    const auto column = [&](const Table& table) {
      Row out;
      for (const Row& row : table) out.push_back(row[d]);
      return out;
    };
    const Row line = column(value);
    if (lo && place == 0) chart.area(x, column(*lo), column(*hi), "back");
    const bool unseen = !r.trace.domains[d].seen;
    chart.curve(x, line, unseen ? "dark" : "mid");
    if (defined(line.back()))
      labels.push_back(
          {line.back(), short_name(r.trace.domains[d].name, 12), unseen ? "s b" : "s"});
  }
  chart.end_labels(labels);
  return chart.svg();
}

bool any_drop(const Margins& m) {
  for (const Row& row : m.drop)
    if (std::any_of(row.begin(), row.end(), [](double x) { return x > 0; })) return true;
  return false;
}

bool variable_k(const Margins& m) {
  return std::find(m.fixed_k.begin(), m.fixed_k.end(), false) != m.fixed_k.end();
}

Table in_percent(Table table) {
  for (Row& row : table)
    for (double& x : row) x *= 100;
  return table;
}

std::vector<Svg> panels(const Routing& r, const Margins& m, size_t l, double top) {
  std::vector<Svg> out;
  if (r.trace.sites[l].columns > 0) {
    out.push_back(histogram(m.margin[l], m.margin_median[l], top, "p₁ − p₂: first against second"));
    out.push_back(
        histogram(m.kth_gap[l], m.kth_gap_median[l], top, "pₖ − pₖ₊₁: last chosen against next"));
  }
  if (any_drop(m))
    out.push_back(lines(r, in_percent(m.drop), nullptr, nullptr, "dropped by capacity, %"));
  if (variable_k(m)) out.push_back(lines(r, m.mean_k, &m.k10, &m.k90, "experts per token"));
  return out;
}

/// What the run cannot show, and the option that would change it.
std::string absent(const Routing& r, const Margins& m) {
  std::string out;
  if (!variable_k(m) && r.trace.sites.front().k > 0)
    out = cat("This router uses a fixed k = ", r.trace.sites.front().k,
              "; a router with selector top-p or null experts varies it. ");
  const bool limited = std::any_of(r.trace.sites.begin(), r.trace.sites.end(),
                                   [](const auto& site) { return !site.kept.empty(); });
  if (!limited)
    out += "No capacity limit was set, so nothing is dropped. ";
  else if (!any_drop(m))
    out += "The capacity limit dropped nothing. ";
  return out;
}

std::string finding(const Routing& r, const Margins& m) {
  const auto l = static_cast<size_t>(r.reference);
  if (!defined(m.kth_gap_median[l])) return "";
  const int64_t close = m.kth_gap[l][0], total = std::max<int64_t>(1, m.kth_gap_tokens[l]);
  return cat("At layer ", l, " half of the tokens choose their last expert by less than ",
             fixed_text(m.kth_gap_median[l], 3), "; ",
             percent_text(static_cast<double>(close) / static_cast<double>(total)),
             " by less than ", fixed_text(1.0 / kBins, 2), ".");
}

std::string csv_of(const Routing& r, const Margins& m) {
  Csv csv("layer,domain,quantity,bin,value");
  for (size_t l = 0; l < m.margin.size(); ++l) {
    const auto bins = [&](const char* name, const Indices& counts) {
      for (size_t b = 0; b < counts.size(); ++b)
        csv.cell(static_cast<int64_t>(l))
            .cell(std::string())
            .cell(std::string(name))
            .cell(static_cast<int64_t>(b))
            .cell(counts[b])
            .end();
    };
    bins("margin", m.margin[l]);
    bins("kth_gap", m.kth_gap[l]);
    for (const auto& [name, table] :
         {std::pair{"drop", &m.drop}, {"mean_k", &m.mean_k}, {"k10", &m.k10}, {"k90", &m.k90}})
      for (size_t d = 0; d < r.trace.domains.size(); ++d)
        csv.cell(static_cast<int64_t>(l))
            .cell(r.trace.domains[d].name)
            .cell(std::string(name))
            .cell(std::string())
            .cell((*table)[l][d])
            .end();
  }
  return csv.text();
}

void fill(Figure& f, const Routing& r, const Margins& m) {
  f.sample = trace_sample(r);
  f.csv = csv_of(r, m);
  f.data = Json{{"bins", kBins},
                {"margin", m.margin},
                {"kth_gap", m.kth_gap},
                {"margin_median", m.margin_median},
                {"kth_gap_median", m.kth_gap_median},
                {"drop", m.drop},
                {"mean_k", m.mean_k},
                {"k10", m.k10},
                {"k90", m.k90},
                {"k_hist", m.k_hist}}
               .dump();
}

}  // namespace

Figure margins_figure(const ReportData& data) {
  Figure f;
  f.slug = "margins", f.number = "9", f.title = "How clear the choices are", f.section = "routing",
  f.unit = "probability";
  f.reading =
      "Mass near zero on the right means the last expert chosen was nearly a coin toss. Follows "
      "the layer slider.";
  f.definition =
      "p: softmax over the competing slots, sorted per token; k: the token's own number of chosen "
      "slots. 30 bins from 0 to 1, one scale for all layers. A router without preference has all "
      "mass at 0. Tokens that take no or every slot have no last gap.";
  if (!data.routing) {
    mark_untraced(f, data);
    return f;
  }
  const Routing& r = *data.routing;
  const Margins m = margins(r.trace, kBins);
  const double top = largest_share(m);
  if (top == 0 && !any_drop(m) && !variable_k(m)) {
    f.empty = cat("Only chosen slots were traced. ", absent(r, m));
    f.how = cat("switchyard eval ", data.shown.folder.string(),
                " trace.scores=true\nswitchyard report ", data.folder.string());
    return f;
  }
  f.finding = finding(r, m);
  f.default_layer = r.reference;
  for (int64_t l = 0; l < r.layers(); ++l)
    f.views.push_back(
        {cat("layer", l), "", panels(r, m, static_cast<size_t>(l), top), l, absent(r, m)});
  fill(f, r, m);
  return f;
}

}  // namespace switchyard
