#include "eval/report/figures/compare_figures.h"

#include <algorithm>

#include "core/base/text.h"
#include "core/io/json.h"
#include "eval/report/chart.h"
#include "eval/report/compare.h"
#include "eval/report/number.h"
#include "eval/study/metric_info.h"

namespace switchyard {
namespace {

std::string table_html(const std::vector<std::string>& head,
                       const std::vector<std::vector<std::string>>& rows) {
  std::string out = "<table><tr>";
  for (const auto& cell : head) out += cat("<th>", escape_xml(cell), "</th>");
  out += "</tr>";
  for (const auto& row : rows) {
    out += "<tr>";
    for (const auto& cell : row) out += cat("<td>", escape_xml(cell), "</td>");
    out += "</tr>";
  }
  return out + "</table>";
}

std::string difference_text(const Difference& d, int decimals) {
  if (!defined(d.diff)) return "–";
  const auto number = [&](double x) { return signed_text(x, decimals); };
  return defined(d.lo) ? cat(number(d.diff), " (", number(d.lo), " to ", number(d.hi), ")")
                       : number(d.diff) + ", no interval";
}

}  // namespace

std::vector<ComparedScore> compared_scores(const ReportData& a, const ReportData& b) {
  const MetricInfo& info = metric_info(a.summary->metric);
  std::vector<ComparedScore> out;
  for (const auto& row : a.summary->rows)
    for (const auto& other : b.summary->rows) {
      if (row.is_mean || other.is_mean || row.domain != other.domain || row.seen != other.seen)
        continue;
      ComparedScore score{
          row.domain, row.seen, row.cells.front().seeds, other.cells.front().seeds, {}};
      score.difference = welch(score.b, score.a);
      score.difference.verdict = info.verdict(score.difference.lo, score.difference.hi);
      score.difference.diff = mean(score.b) - mean(score.a);
      out.push_back(std::move(score));
    }
  return out;
}

Figure compare_scores_figure(const ReportData& a, const ReportData& b) {
  Figure f;
  f.slug = "ab-summary", f.number = "13a", f.title = "Metric per domain, A and B";
  f.section = "answer";
  f.reading = "Means over seeds; the last column has the 95 % interval of the difference.";
  f.definition =
      "Welch interval over seeds, from three seeds in both; with fewer no interval is given. "
      "Differences are not corrected for the number of domains.";
  f.empty = not_comparable(a, b);
  if (!f.empty.empty()) {
    f.empty = "Not compared: " + f.empty + ".";
    return f;
  }
  f.unit = a.summary->metric;
  const int decimals = metric_info(a.summary->metric).decimals;
  std::vector<std::vector<std::string>> rows;
  Csv csv("domain,seen,a,b,difference,lo,hi,seeds_a,seeds_b");
  Json data = Json::array();
  for (const auto& s : compared_scores(a, b)) {
    rows.push_back({s.domain, s.seen ? "seen" : "never seen", fixed_text(mean(s.a), decimals),
                    fixed_text(mean(s.b), decimals), difference_text(s.difference, decimals)});
    csv.cell(s.domain).cell(std::string(s.seen ? "true" : "false")).cell(mean(s.a));
    csv.cell(mean(s.b)).cell(s.difference.diff).cell(s.difference.lo).cell(s.difference.hi);
    csv.cell(static_cast<int64_t>(s.a.size())).cell(static_cast<int64_t>(s.b.size())).end();
    data.push_back({{"domain", s.domain}, {"a", s.a}, {"b", s.b}, {"diff", s.difference.diff}});
  }
  f.html = table_html({"domain", "", "A", "B", "B − A"}, rows);
  f.sample = cat(a.summary->seeds, " + ", b.summary->seeds, " seeds");
  f.csv = csv.text();
  f.data = Json{{"scores", data}}.dump();
  return f;
}

Figure compare_nmi_figure(const ReportData& a, const ReportData& b) {
  Figure f;
  f.slug = "ab-nmi", f.number = "13c", f.title = "How much the expert tells about the domain";
  f.section = "routing", f.unit = "NMI";
  f.reading = "The higher line depends more on the domain; dashed are the shuffled nulls.";
  f.definition = "As in figure 4a; depth is relative where the runs have other layers.";
  if (!a.routing || !b.routing) {
    f.empty = "One of the runs has no routing trace.";
    return f;
  }
  ChartAxes axes;
  axes.right = 60, axes.x_title = "layer, from first to last", axes.y_hi = 0.05;
  axes.y_title = "NMI(domain; expert), 0 to 1";
  for (const auto* r : {a.routing.get(), b.routing.get()})
    for (const Row* row : {&r->domain.nmi, &r->domain.null95})
      for (double x : *row)
        if (defined(x)) axes.y_hi = std::max(axes.y_hi, 1.05 * x);
  Chart chart(axes);
  chart.y_ticks(round_ticks(0, axes.y_hi, 5));
  Csv csv("run,layer,nmi,null95");
  std::vector<Chart::Label> labels;
  for (const auto& [name, r, line] :
       {std::tuple{"A", a.routing.get(), "dark"}, {"B", b.routing.get(), "main"}}) {
    Row x = layer_positions(r->layers());
    for (double& at : x) at /= static_cast<double>(std::max<int64_t>(r->layers() - 1, 1));
    chart.curve(x, r->domain.null95, "null");
    chart.curve(x, r->domain.nmi, line);
    for (size_t l = 0; l < x.size(); ++l) {
      chart.mark(x[l], r->domain.nmi[l], 3, *name == 'A' ? "dot" : "dota",
                 cat(name, ", layer ", l, ": ", information_text(r->domain.nmi[l])));
      csv.cell(std::string(name)).cell(static_cast<int64_t>(l)).cell(r->domain.nmi[l]);
      csv.cell(r->domain.null95[l]).end();
    }
    if (defined(r->domain.nmi.back()))
      labels.push_back({r->domain.nmi.back(), name, *name == 'A' ? "b" : "a"});
  }
  chart.end_labels(labels);
  f.views.push_back({"all", "", {chart.svg()}, -1, ""});
  f.csv = csv.text();
  f.data = Json{{"a", a.routing->domain.nmi}, {"b", b.routing->domain.nmi}}.dump();
  return f;
}

Figure compare_config_figure(const ReportData& a, const ReportData& b) {
  Figure f;
  f.slug = "ab-config", f.number = "13d", f.title = "What differs in the configuration";
  f.section = "provenance", f.span = 12;
  f.reading = "Only keys whose resolved values differ; everything else is equal.";
  f.definition = "Resolved config.yaml of the two runs that the figures show.";
  std::vector<std::vector<std::string>> rows;
  Csv csv("key,a,b");
  Json data = Json::array();
  for (const auto& [key, of_a, of_b] : config_differences(a.config, b.config)) {
    rows.push_back({key, of_a, of_b});
    csv.cell(key).cell(of_a).cell(of_b).end();
    data.push_back({{"key", key}, {"a", of_a}, {"b", of_b}});
  }
  f.html = table_html({"key", "A", "B"}, rows);
  f.sample = cat(rows.size(), rows.size() == 1 ? " key" : " keys");
  f.csv = csv.text();
  f.data = Json{{"differences", data}}.dump();
  return f;
}

}  // namespace switchyard
