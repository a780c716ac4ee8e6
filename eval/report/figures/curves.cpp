// Figure 12: training curves of the shown arm, one panel per series.

#include <algorithm>
#include <cmath>

#include "core/base/text.h"
#include "core/io/json.h"
#include "eval/report/chart.h"
#include "eval/report/figures/figures.h"
#include "eval/report/metrics.h"
#include "eval/report/number.h"

namespace switchyard {
namespace {

constexpr double kPointsPerPixel = 2;
constexpr size_t kMostPanels = 12;

/// Smallest and largest value of runs of points, so that no line holds more than 2 points per
/// pixel.
void thin(Row& step, Row& value, double pixels) {
  const auto limit = static_cast<size_t>(pixels * kPointsPerPixel);
  if (step.size() <= limit) return;
  Row s, v;
  const size_t run = 2 * (step.size() / limit + 1);
  for (size_t i = 0; i < step.size(); i += run) {
    const auto begin = value.begin() + static_cast<int64_t>(i),
               end = value.begin() + static_cast<int64_t>(std::min(i + run, step.size()));
    const auto [lo, hi] = std::minmax_element(begin, end);
    for (auto it : {std::min(lo, hi), std::max(lo, hi)})
      s.push_back(step[static_cast<size_t>(it - value.begin())]), v.push_back(*it);
  }
  step = s, value = v;
}

/// Smallest and largest value of all seeds; (0, 0) without any.
std::pair<double, double> range_of(const MetricSeries& series) {
  std::pair<double, double> out{0, 0};
  bool any = false;
  for (const Row& row : series.value)
    for (double v : row) {
      out = {any ? std::min(out.first, v) : v, any ? std::max(out.second, v) : v};
      any = true;
    }
  return out;
}

/// Axes round the values. What varies by less than 1 in 10,000 is drawn flat, with one tick.
std::vector<double> fit_axis(ChartAxes& axes, const MetricSeries& series) {
  const auto [lo, hi] = range_of(series);
  const double size = std::max(std::abs(lo), std::abs(hi));
  const bool flat = hi - lo <= 1e-4 * size;
  const double pad = flat ? std::max(size * 0.1, 1e-9) : (hi - lo) * 0.06;
  axes.y_lo = lo - pad, axes.y_hi = hi + pad;
  return flat ? std::vector<double>{hi} : round_ticks(axes.y_lo, axes.y_hi, 4);
}

void draw_seeds(Chart& chart, const MetricSeries& series, double pixels) {
  for (size_t s = 0; s < series.step.size(); ++s) {
    Row step = series.step[s], value = series.value[s];
    thin(step, value, pixels);
    chart.curve(step, value, "thin");
  }
}

void draw_mean(Chart& chart, const MetricSeries& series, double pixels) {
  auto [step, value] = mean_series(series);
  thin(step, value, pixels);
  chart.curve(step, value, "dark");
  if (step.size() > 12) return;
  for (size_t i = 0; i < step.size(); ++i)
    chart.mark(step[i], value[i], 3, "dot",
               cat("step ", count_text(static_cast<int64_t>(step[i])), ": ", to_text(value[i])));
}

Svg draw(const MetricSeries& series, double last_step) {
  ChartAxes axes;
  axes.width = 400, axes.height = 170, axes.left = 56;
  axes.x_hi = std::max(last_step, 1.0);
  axes.y_title = short_name(series.name, 40), axes.x_title = "step";
  const auto ticks = fit_axis(axes, series);
  Chart chart(axes);
  chart.y_ticks(ticks);
  for (double x : round_ticks(0, axes.x_hi, 4))
    chart.x_ticks({x}, {count_text(static_cast<int64_t>(x))});
  const double pixels = axes.width - axes.left - axes.right;
  draw_seeds(chart, series, pixels);
  draw_mean(chart, series, pixels);
  return chart.svg();
}

/// Losses first, then evaluation, then the rest.
int rank_of(const std::string& name) {
  if (name == "loss" || name == "total") return 0;
  if (name.rfind("eval/", 0) == 0) return 1;
  if (name.rfind("aux/", 0) == 0) return 2;
  return 3;
}

std::vector<Svg> panels(const std::vector<MetricSeries>& series) {
  double last = 0;
  for (const auto& s : series)
    for (const Row& row : s.step)
      if (!row.empty()) last = std::max(last, row.back());
  std::vector<Svg> out;
  for (size_t i = 0; i < std::min(series.size(), kMostPanels); ++i)
    out.push_back(draw(series[i], last));
  return out;
}

std::string csv_of(const std::vector<MetricSeries>& series, const std::vector<int64_t>& seeds) {
  Csv csv("series,seed,step,value");
  for (const auto& s : series)
    for (size_t i = 0; i < s.step.size(); ++i)
      for (size_t p = 0; p < s.step[i].size(); ++p)
        csv.cell(s.name).cell(seeds[i]).cell(s.step[i][p]).cell(s.value[i][p]).end();
  return csv.text();
}

Json data_of(const std::vector<MetricSeries>& series) {
  Json out{{"series", Json::array()}};
  for (const auto& s : series)
    out["series"].push_back({{"name", s.name}, {"step", s.step}, {"value", s.value}});
  return out;
}

}  // namespace

Figure curves_figure(const ReportData& data) {
  Figure f;
  f.slug = "curves", f.number = "12", f.title = "Training curves", f.section = "training",
  f.span = 12;
  f.reading = "Thin lines are seeds, the thick line their mean. Nothing is smoothed.";
  f.definition = cat("Every series of metrics.jsonl of the cells of arm ", data.shown.arm,
                     "; above 2 points per pixel the smallest and largest of each run of points.");
  std::vector<std::filesystem::path> files;
  std::vector<int64_t> seeds;
  for (const auto& cell : data.cells)
    if (cell.arm == data.shown.arm)
      files.push_back(cell.folder / "metrics.jsonl"), seeds.push_back(cell.seed);
  auto series = read_metrics(files);
  std::stable_sort(series.begin(), series.end(),
                   [](const auto& a, const auto& b) { return rank_of(a.name) < rank_of(b.name); });
  if (series.empty()) {
    f.empty = "metrics.jsonl has no steps.";
    f.how = cat("switchyard train resume=", data.shown.folder.string(), "\nswitchyard report ",
                data.folder.string());
    return f;
  }
  f.views.push_back({"all", "", panels(series), -1, ""});
  if (series.size() > kMostPanels)
    f.finding = cat("The first ", kMostPanels, " of ", series.size(),
                    " series are drawn; the others are in the CSV.");
  f.sample = cat(seeds.size(), seeds.size() == 1 ? " seed" : " seeds");
  f.csv = csv_of(series, seeds);
  f.data = data_of(series).dump();
  return f;
}

}  // namespace switchyard
