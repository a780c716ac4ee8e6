// Figure 10: how early each layer's choices settle.

#include "eval/analysis/stability.h"

#include <algorithm>

#include "core/base/text.h"
#include "core/io/json.h"
#include "eval/report/chart.h"
#include "eval/report/figures/figures.h"
#include "eval/report/number.h"

namespace switchyard {
namespace {

struct Settling {
  Row steps;
  Indices experts;
  int64_t tokens = 0;  ///< probe tokens of the layer with most
  Stability values;
};

Settling settling(const ReportData& data) {
  Settling out;
  std::vector<TraceView> traces;
  for (const auto& file : data.traces) traces.push_back(load_trace(file));
  for (const auto& trace : traces) out.steps.push_back(static_cast<double>(trace.step));
  for (const auto& site : traces.back().sites) out.experts.push_back(site.experts);
  const auto sets = probe_sets(traces);
  for (const ExpertSets& layer : sets.back())
    out.tokens = std::max(out.tokens, static_cast<int64_t>(layer.size()));
  out.values = stability(sets, out.experts);
  return out;
}

std::string record_command(const ReportData& data) {
  return cat("switchyard train experiment=", data.experiment,
             " trainer.checkpoint_every=100 trainer.keep_last=9\nswitchyard eval ",
             data.shown.folder.string(), " eval.step=100\nswitchyard report ",
             data.folder.string());
}

/// Light to dark with depth.
std::string depth_class(size_t l, size_t layers) {
  const double depth =
      static_cast<double>(l) / static_cast<double>(std::max<size_t>(layers - 1, 1));
  return depth < 1.0 / 3 ? "thin" : depth < 2.0 / 3 ? "mid" : "dark";
}

Svg draw(const Settling& s) {
  const size_t layers = s.experts.size();
  ChartAxes axes;
  axes.x_lo = s.steps.front(), axes.x_hi = s.steps.back(), axes.y_hi = 100;
  axes.right = 80, axes.height = 240;
  axes.x_title = "step", axes.y_title = "tokens with the last checkpoint's experts, %";
  Chart chart(axes);
  chart.y_ticks({0, 25, 50, 75, 100});
  std::vector<std::string> names;
  for (double step : s.steps) names.push_back(count_text(static_cast<int64_t>(step)));
  chart.x_ticks(s.steps, names);
  for (size_t l = 0; l < layers; ++l) {
    Row y;
    for (double x : s.values.agree[l]) y.push_back(100 * x);
    chart.curve(s.steps, Row(s.steps.size(), 100 * s.values.chance[l]), "null");
    chart.curve(s.steps, y, depth_class(l, layers));
    for (size_t i = 0; i < y.size(); ++i)
      chart.mark(s.steps[i], y[i], 2.5, l + 1 == layers ? "dot" : "dot2",
                 cat("layer ", l, ", step ", names[i], ": ", percent_text(y[i] / 100, 1)));
  }
  const auto first = [&](size_t l) { return 100 * s.values.agree[l].front(); };
  const double nudge = layers > 1 && first(0) > first(layers - 1) ? -8 : 16;
  chart.svg().text(chart.x(s.steps.front()) + 6, chart.y(first(0)) + nudge, "layer 0", "s halo");
  if (layers > 1)
    chart.svg().text(chart.x(s.steps.front()) + 6, chart.y(first(layers - 1)) + 8 - nudge,
                     cat("layer ", layers - 1), "s b halo");
  chart.end_labels({{100 * s.values.chance.back(), "by chance", "s g"}});
  return chart.svg();
}

std::string finding(const Settling& s) {
  const size_t before = s.steps.size() - 2, last = s.experts.size() - 1;
  return cat(
      "Between the last two checkpoints (steps ", count_text(static_cast<int64_t>(s.steps[before])),
      " and ", count_text(static_cast<int64_t>(s.steps.back())), ") ",
      percent_text(s.values.agree[0][before]), " of the tokens keep their experts at layer 0",
      last > 0 ? cat(", ", percent_text(s.values.agree[last][before]), " at layer ", last)
               : std::string(),
      ".");
}

std::string csv_of(const Settling& s) {
  Csv csv("layer,step,agree,agree_previous,jaccard,chance");
  for (size_t l = 0; l < s.experts.size(); ++l)
    for (size_t i = 0; i < s.steps.size(); ++i)
      csv.cell(static_cast<int64_t>(l))
          .cell(static_cast<int64_t>(s.steps[i]))
          .cell(s.values.agree[l][i])
          .cell(s.values.agree_previous[l][i])
          .cell(s.values.jaccard[l][i])
          .cell(s.values.chance[l])
          .end();
  return csv.text();
}

}  // namespace

Figure stability_figure(const ReportData& data) {
  Figure f;
  f.slug = "stability", f.number = "10", f.title = "When the choices settle",
  f.section = "training", f.unit = "share of tokens";
  f.reading =
      "A line that reaches 100 % early belongs to a layer whose choices settled early. Lines "
      "darken with depth; dashed is chance.";
  f.definition =
      "Share of fixed probe tokens (all tokens of the traced sequences) whose set of routed "
      "experts "
      "equals the last checkpoint's. Chance is 1 ÷ C(E, k); it ignores that experts carry unequal "
      "load.";
  if (!data.routing) {
    mark_untraced(f, data);
    return f;
  }
  if (data.traces.size() < 2) {
    f.empty = "One checkpoint was traced.";
    f.how = record_command(data);
    return f;
  }
  const Settling s = settling(data);
  f.finding = finding(s);
  f.sample = cat(count_text(s.tokens), " probe tokens, ", s.steps.size(), " checkpoints");
  f.views.push_back({"all", "", {draw(s)}, -1, ""});
  f.csv = csv_of(s);
  f.data = Json{{"steps", s.steps},
                {"agree", s.values.agree},
                {"agree_previous", s.values.agree_previous},
                {"jaccard", s.values.jaccard},
                {"chance", s.values.chance},
                {"probe_tokens", s.tokens}}
               .dump();
  return f;
}

}  // namespace switchyard
