// Figure 3a: load of every expert on a log scale, dead and hot ones named.

#include <algorithm>
#include <cmath>

#include "core/base/text.h"
#include "core/io/json.h"
#include "eval/report/chart.h"
#include "eval/report/figures/figures.h"
#include "eval/report/number.h"
#include "eval/report/palette.h"

namespace switchyard {
namespace {

constexpr double kFloor = -6, kCeiling = 2.3;
constexpr size_t kMostTicks = 16;

double log_load(double share, size_t experts) {
  const double x = std::log2(std::max(share * static_cast<double>(experts), 1e-12));
  return std::clamp(x, kFloor, kCeiling);
}

std::string named(const Routing& r, bool dead) {
  std::vector<std::string> out;
  for (size_t l = 0; l < r.load.balance.size(); ++l)
    for (int64_t e : dead ? r.load.balance[l].dead : r.load.balance[l].hot) {
      const Row& share = r.load.mean_share[l];
      out.push_back(
          cat("layer ", l, " ", expert_name(e), " (",
              ratio_text(share[static_cast<size_t>(e)] * static_cast<double>(share.size())), ")"));
    }
  const size_t count = out.size();
  if (count > 8) out.resize(8), out.push_back(cat(count - 8, " more"));
  return listed(out);
}

ChartAxes axes_of(const Routing& r) {
  ChartAxes axes;
  axes.left = 52;
  axes.x_lo = -0.5, axes.x_hi = static_cast<double>(r.layers()) - 0.5;
  axes.y_lo = kFloor, axes.y_hi = kCeiling;
  axes.x_title = "layer", axes.y_title = "load ÷ uniform, log scale";
  return axes;
}

/// One tick per expert of a layer.
void draw_layer(Chart& chart, const Routing& r, size_t l) {
  const double half = std::min(13.0, 0.3 * (chart.x(1) - chart.x(0)));
  const Row& share = r.load.mean_share[l];
  const auto layer = static_cast<int64_t>(l);
  const Indices track = r.tracks.track_of(layer, static_cast<int64_t>(share.size()));
  for (size_t e = 0; e < share.size(); ++e) {
    if (!defined(share[e])) continue;
    const auto expert = static_cast<int64_t>(e);
    const std::string tip =
        cat("layer ", l, ", ", expert_name(expert), ": ",
            ratio_text(share[e] * static_cast<double>(share.size())), " uniform");
    chart.svg().about(expert_address(layer, expert));
    chart.svg().rect(chart.x(static_cast<double>(l)) - half,
                     chart.y(log_load(share[e], share.size())) - 1.5, 2 * half, 3,
                     share.size() > kMostTicks ? "x" : expert_class(track[e]), tip);
  }
  chart.svg().about("");
}

Svg draw(const Routing& r) {
  Chart chart(axes_of(r));
  const double left = chart.axes().left, right = chart.axes().width - chart.axes().right;
  chart.svg().rect(left, chart.y(1), right - left, chart.y(-2) - chart.y(1), "back");
  const std::pair<double, const char*> ticks[] = {{2, "4×"},  {1, "2×"},     {0, "1×"},
                                                  {-2, "¼×"}, {-4, "1/16×"}, {-6, "≤1/64×"}};
  for (const auto& [y, label] : ticks) chart.y_tick(y, label);
  chart.svg().line(left, chart.y(0), right, chart.y(0), "null");
  chart.layer_ticks(r.layers());
  for (size_t l = 0; l < r.load.mean_share.size(); ++l) draw_layer(chart, r, l);
  return chart.svg();
}

std::string csv_of(const Routing& r) {
  Csv csv("layer,expert,track,share,load");
  for (size_t l = 0; l < r.load.mean_share.size(); ++l) {
    const Row& share = r.load.mean_share[l];
    const Indices track =
        r.tracks.track_of(static_cast<int64_t>(l), static_cast<int64_t>(share.size()));
    for (size_t e = 0; e < share.size(); ++e)
      csv.cell(static_cast<int64_t>(l))
          .cell(static_cast<int64_t>(e))
          .cell(track[e])
          .cell(share[e])
          .cell(share[e] * static_cast<double>(share.size()))
          .end();
  }
  return csv.text();
}

Json data_of(const Routing& r) {
  Json out{{"load", r.load.mean_share}, {"load_pooled", r.load.pooled_share}};
  for (const char* key : {"dead", "hot", "cv", "max_violation"}) out[key] = Json::array();
  for (size_t l = 0; l < r.load.balance.size(); ++l) {
    const Balance& b = r.load.balance[l];
    out["cv"].push_back(b.cv), out["max_violation"].push_back(b.max_violation);
    for (int64_t e : b.dead) out["dead"].push_back({l, e});
    for (int64_t e : b.hot) out["hot"].push_back({l, e});
  }
  return out;
}

}  // namespace

Figure load_figure(const ReportData& data) {
  Figure f;
  f.slug = "load", f.number = "3a", f.title = "Load per layer", f.section = "routing",
  f.unit = "× uniform";
  f.reading =
      "Each tick is one expert. Inside the grey band it carries between a quarter and twice its "
      "equal share.";
  f.definition =
      "Mean over domains of the share of assignments, divided by 1 ÷ experts. Dead: below 0.1×. "
      "Hot: above 2×. An expert that only passes without condition use counts as dead where none "
      "was "
      "traced.";
  if (!data.routing) {
    mark_untraced(f, data);
    return f;
  }
  const Routing& r = *data.routing;
  const std::string dead = named(r, true), hot = named(r, false);
  f.finding = dead.empty() && hot.empty() ? "No expert is dead or hot."
                                          : cat(dead.empty() ? "" : "Dead: " + dead + ". ",
                                                hot.empty() ? "" : "Hot: " + hot + ".");
  f.sample = trace_sample(r);
  f.views.push_back({"all", "", {draw(r)}, -1, ""});
  f.csv = csv_of(r);
  f.data = data_of(r).dump();
  return f;
}

}  // namespace switchyard
