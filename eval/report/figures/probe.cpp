// Figure 13b: what one input token alone tells about its domain.

#include "core/base/text.h"
#include "core/io/json.h"
#include "eval/report/chart.h"
#include "eval/report/figures/figures.h"
#include "eval/report/number.h"

namespace switchyard {
namespace {

Svg draw(const ProbeScores& probe) {
  constexpr double kLeft = 200, kRight = 500, kPitch = 24, kTop = 24;
  const double bottom = kTop + kPitch * static_cast<double>(probe.scores.size());
  Svg svg(566, bottom + 34);
  const auto x = [&](double v) { return kLeft + v * (kRight - kLeft); };
  svg.text(kLeft, 12, "accuracy on unseen groups, mean of domains, %", "s g");
  for (double v : {0.0, 0.25, 0.5, 0.75, 1.0}) {
    svg.line(x(v), kTop - 4, x(v), bottom, "grid");
    svg.text(x(v), bottom + 15, fixed_text(100 * v, 0), "s", "middle");
  }
  for (size_t i = 0; i < probe.scores.size(); ++i) {
    const auto& s = probe.scores[i];
    const double y = kTop + kPitch * (static_cast<double>(i) + 0.5);
    svg.text(kLeft - 12, y + 4, short_name(s.probe + ", " + s.channels, 28), "i", "end");
    if (defined(s.lo)) svg.line(x(s.lo), y, x(s.hi), y, "bar");
    svg.circle(x(s.score), y, 4.5, "dot",
               cat(s.probe, ": ", percent_text(s.score, 1), ", ", percent_text(s.lo, 1), " to ",
                   percent_text(s.hi, 1)));
    svg.text(kRight + 12, y + 4, fixed_text(100 * s.score, 1), "b");
  }
  if (!probe.scores.empty()) {
    svg.line(x(probe.scores[0].chance), kTop - 4, x(probe.scores[0].chance), bottom, "null");
    svg.text(x(probe.scores[0].chance), bottom + 29, "chance", "s g", "middle");
  }
  return svg;
}

}  // namespace

Figure probe_figure(const ReportData& data) {
  Figure f;
  f.slug = "probe", f.number = "13", f.title = "What the input alone tells", f.section = "routing",
  f.unit = "accuracy";
  f.reading = "If this is high, experts may follow the channel, not the geometry.";
  f.definition =
      "Softmax regression and a tree of depth 8 guess the training domain from one input token; "
      "trained and tested on different groups, every domain weighs the same.";
  if (!data.probe) {
    f.empty = "The input probe was not run.";
    f.how = cat("switchyard datasets probe ", data.folder.string(), "\nswitchyard report ",
                data.folder.string());
    return f;
  }
  f.sample = cat(count_text(data.probe->rows), " tokens");
  f.views.push_back({"all", "", {draw(*data.probe)}, -1, ""});
  Csv csv("channels,probe,score,chance,lo,hi");
  Json rows = Json::array();
  for (const auto& s : data.probe->scores) {
    csv.cell(s.channels).cell(s.probe).cell(s.score).cell(s.chance).cell(s.lo).cell(s.hi).end();
    rows.push_back({{"channels", s.channels},
                    {"probe", s.probe},
                    {"score", s.score},
                    {"chance", s.chance},
                    {"lo", s.lo},
                    {"hi", s.hi},
                    {"groups", s.groups}});
  }
  f.csv = csv.text();
  f.data = Json{{"results", rows}}.dump();
  return f;
}

}  // namespace switchyard
