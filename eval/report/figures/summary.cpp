// Figure 1: one row per domain and arm, seeds as dots, interval, difference to the better twin.

#include <algorithm>
#include <cmath>

#include "core/base/text.h"
#include "core/io/json.h"
#include "eval/report/figures/figures.h"
#include "eval/report/number.h"
#include "eval/study/metric_info.h"

namespace switchyard {
namespace {

constexpr double kWidth = 566, kPlotLeft = 186, kPlotRight = 352, kNumber = 432, kDiffLeft = 456,
                 kDiffRight = 556, kTop = 30;

struct Range {
  double lo = 0, hi = 1;
  double at(double x, double left, double right) const {
    return left + (x - lo) / (hi - lo) * (right - left);
  }
};

void widen(Range& r, bool& any, double x) {
  if (!defined(x)) return;
  r.lo = any ? std::min(r.lo, x) : x;
  r.hi = any ? std::max(r.hi, x) : x;
  any = true;
}

Range padded(Range r, double least) {
  const double pad = std::max((r.hi - r.lo) * 0.08, (least - (r.hi - r.lo)) / 2);
  return {r.lo - std::max(pad, 0.0), r.hi + std::max(pad, 0.0)};
}

const SummaryDifference* better(const SummaryRow& row) {
  return row.better_twin < 0 ? nullptr : &row.differences[static_cast<size_t>(row.better_twin)];
}

class Drawing {
 public:
  explicit Drawing(const SummaryTable& summary)
      : summary_(summary),
        info_(metric_info(summary.metric)),
        pitch_(std::clamp(372 / (summary.rows.size() * (summary.arms.size() + 0.6)), 13.0, 20.0)),
        group_(pitch_ * (static_cast<double>(std::max<size_t>(summary.arms.size(), 2)) + 0.6)),
        svg_(kWidth, kTop + group_ * static_cast<double>(summary.rows.size()) + 24) {
    ranges();
  }

  Svg draw() {
    tints();
    axes();
    for (size_t i = 0; i < summary_.rows.size(); ++i)
      row(summary_.rows[i], kTop + static_cast<double>(i) * group_);
    return svg_;
  }

 private:
  void ranges() {
    bool any = false, any_difference = true;
    difference_ = {0, 0};
    for (const auto& row : summary_.rows) {
      for (const auto& cell : row.cells) {
        for (double x : {cell.mean, cell.lo, cell.hi}) widen(value_, any, x);
        for (double x : cell.seeds) widen(value_, any, x);
      }
      if (const auto* d = better(row))
        for (double x : {d->difference.diff, d->difference.lo, d->difference.hi})
          widen(difference_, any_difference, x);
    }
    value_ = padded(value_, 20 * info_.resolution());
    const double least = 10 * info_.resolution();
    const double far = std::max({std::abs(difference_.lo), std::abs(difference_.hi), least}) * 1.1;
    difference_ = {-far, far};
  }

  void tints() {
    for (size_t i = 0; i < summary_.rows.size(); ++i)
      if (!summary_.rows[i].seen)
        svg_.rect(0, kTop + static_cast<double>(i) * group_, kWidth, group_, "tint cell");
  }

  void axes() {
    const double bottom = svg_.height() - 22;
    svg_.text(8, 12, "domain", "s g");
    svg_.text(kPlotLeft, 12, cat(summary_.metric, info_.suffix(), " (", info_.direction(), ")"),
              "s g");
    for (double x : round_ticks(value_.lo, value_.hi, 5)) {
      svg_.line(value_.at(x, kPlotLeft, kPlotRight), kTop, value_.at(x, kPlotLeft, kPlotRight),
                bottom, "grid");
      svg_.text(value_.at(x, kPlotLeft, kPlotRight), bottom + 15, fixed_text(x, tick_decimals(x)),
                "s", "middle");
    }
    if (summary_.arms.size() < 2) return;
    svg_.text(kDiffRight + 8, 12, summary_.arms.size() > 2 ? "MoE − better twin" : "MoE − twin",
              "s g", "end");
    for (double x : round_ticks(difference_.lo, difference_.hi, 5)) {
      const double at = difference_.at(x, kDiffLeft, kDiffRight);
      svg_.line(at, bottom - 4, at, bottom, "axis");
      svg_.text(at, bottom + 15, x == 0 ? "0" : signed_text(x, tick_decimals(x)), "s", "middle");
    }
  }

  void row(const SummaryRow& row, double top) {
    const double first = top + pitch_ * 0.3 + pitch_ / 2;
    svg_.text(8, first + 4, short_name(row.domain, 15), "b");
    if (!row.is_mean)
      svg_.text(8, first + pitch_ + 2, row.seen ? "seen" : "never seen", row.seen ? "s g" : "s u");
    for (size_t m = 0; m < row.cells.size(); ++m)
      cell(row.cells[m], m, first + static_cast<double>(m) * pitch_);
    if (const auto* d = better(row)) difference(*d, first + pitch_ * 0.15);
  }

  void cell(const SummaryCell& cell, size_t m, double y) {
    svg_.text(kPlotLeft - 14, y + 4, arm_label(cell.arm), m == 0 ? "b" : "", "end");
    const auto x = [&](double v) { return value_.at(v, kPlotLeft, kPlotRight); };
    for (double v : cell.seeds)
      if (defined(v)) svg_.circle(x(v), y, 2.2, "seed");
    if (defined(cell.lo)) svg_.line(x(cell.lo), y, x(cell.hi), y, m == 0 ? "bar" : "bar2");
    std::string text = fixed_text(cell.mean, info_.decimals);
    if (defined(cell.lo)) text += " ± " + fixed_text((cell.hi - cell.lo) / 2, info_.decimals);
    const char* marks[] = {"dot", "hollow", "dot2"};
    if (defined(cell.mean))
      svg_.circle(x(cell.mean), y, 4.5, marks[std::min<size_t>(m, 2)], cell.arm + ": " + text);
    svg_.text(kNumber, y + 4, text, m == 0 ? "b" : "", "end");
  }

  void difference(const SummaryDifference& d, double y) {
    const Difference& v = d.difference;
    if (!defined(v.diff)) return;
    const auto x = [&](double value) { return difference_.at(value, kDiffLeft, kDiffRight); };
    const bool clear = v.verdict != "undecided";
    svg_.line(x(0), y - 8, x(0), y + 6, "zero");
    if (defined(v.lo)) svg_.line(x(v.lo), y, x(v.hi), y, clear ? "bara" : "bar2");
    const auto number = [&](double value) { return signed_text(value, info_.decimals); };
    std::string text = number(v.diff);
    if (defined(v.lo)) text += " [" + number(v.lo) + ", " + number(v.hi) + "]";
    svg_.circle(x(v.diff), y, 4, clear ? "dota" : "dot2", "MoE − " + d.against + ": " + text);
    svg_.text((kDiffLeft + kDiffRight) / 2, y + pitch_ + 2, text, clear ? "s b" : "s", "middle");
  }

  int tick_decimals(double x) const { return x == std::round(x) ? 0 : info_.decimals; }

  static std::string arm_label(const std::string& arm) {
    if (arm == "moe") return "MoE";
    return arm == "active" || arm == "total" ? arm + " twin" : short_name(arm, 14);
  }

  const SummaryTable& summary_;
  const MetricInfo& info_;
  double pitch_, group_;
  Svg svg_;
  Range value_, difference_;
};

Json data_json(const SummaryTable& s) {
  Json out{{"metric", s.metric},
           {"arms", s.arms},
           {"roles", s.roles},
           {"interval", s.interval},
           {"rows", Json::array()}};
  for (const auto& row : s.rows) {
    Json item{{"domain", row.domain},
              {"seen", row.seen},
              {"is_mean", row.is_mean},
              {"cells", Json::array()},
              {"differences", Json::array()}};
    for (const auto& c : row.cells)
      item["cells"].push_back(
          {{"arm", c.arm}, {"seeds", c.seeds}, {"mean", c.mean}, {"lo", c.lo}, {"hi", c.hi}});
    for (const auto& d : row.differences)
      item["differences"].push_back({{"arm", d.arm},
                                     {"against", d.against},
                                     {"diff", d.difference.diff},
                                     {"lo", d.difference.lo},
                                     {"hi", d.difference.hi},
                                     {"verdict", d.difference.verdict}});
    out["rows"].push_back(std::move(item));
  }
  return out;
}

std::string csv_of(const ResultTable& table) {
  Csv csv("domain,seen,model,seed,metric,value");
  for (const auto& r : table.rows)
    csv.cell(r.domain)
        .cell(std::string(r.seen ? "true" : "false"))
        .cell(r.arm)
        .cell(r.seed)
        .cell(table.metric)
        .cell(r.value)
        .end();
  return csv.text();
}

}  // namespace

Figure summary_figure(const ReportData& data) {
  Figure f;
  f.slug = "summary", f.number = "1", f.title = "Seen and unseen domains", f.section = "answer";
  f.definition =
      "Metric on the test split, per domain. The mean rows weigh domains equally. The difference "
      "is MoE minus the better "
      "of the dense twins of that domain, chosen after seeing the results, which favours the twin.";
  if (!data.summary) {
    f.empty = "No model was evaluated.";
    f.how =
        cat("switchyard eval ", data.folder.string(), "\nswitchyard report ", data.folder.string());
    return f;
  }
  const SummaryTable& s = *data.summary;
  f.unit = metric_info(s.metric).unit;
  const bool over_seeds = s.seeds >= 3;
  f.reading =
      over_seeds
          ? "Each grey dot is one seed; the large mark is their mean, the bar its 95 % interval."
          : cat("The large mark is the mean over seeds. Bars: ",
                s.interval == "none" ? "none" : s.interval, ".");
  f.reading += " Tinted rows were never seen in training.";
  f.definition += cat(" Intervals: ", s.interval, ". With ", s.rows.size(),
                      " intervals, about one in 20 excludes zero by luck.");
  if (s.arms.size() < 2) f.reading += " No dense twin was evaluated.";
  if (!s.oracles.empty())
    f.reading += " Told the data domain at evaluation (oracle): " + join(s.oracles) + ".";
  f.sample = cat(s.seeds, s.seeds == 1 ? " seed" : " seeds");
  f.views.push_back({"all", "", {Drawing(s).draw()}, -1, ""});
  f.csv = csv_of(*data.table);
  f.data = data_json(s).dump();
  return f;
}

}  // namespace switchyard
