// Figures 4a and 4b: how much the expert tells about the domain and about the class.

#include <algorithm>
#include <cmath>

#include "core/base/text.h"
#include "core/io/json.h"
#include "eval/report/chart.h"
#include "eval/report/figures/figures.h"
#include "eval/report/number.h"

namespace switchyard {
namespace {

/// Common top of both figures.
double top_of(const Routing& r) {
  double top = 0.05;
  for (const Row* row : {&r.domain.nmi, &r.domain.hi, &r.domain.null95, &r.domain.given_class,
                         &r.classes.nmi, &r.classes.hi, &r.classes.null95})
    for (double x : *row)
      if (defined(x)) top = std::max(top, x);
  return std::min(1.0, std::ceil(top * 20 + 0.2) / 20);
}

Svg draw(const Routing& r, const NmiCurve& curve, const std::string& what, const Row* given_class) {
  ChartAxes axes;
  axes.x_hi = static_cast<double>(std::max<int64_t>(r.layers() - 1, 1));
  axes.y_hi = top_of(r);
  axes.right = 104;
  axes.x_title = "layer", axes.y_title = cat("NMI(", what, "; expert), 0 to 1");
  Chart chart(axes);
  chart.y_ticks(5, axes.y_hi <= 0.2 ? 2 : 1);
  chart.layer_ticks(r.layers());
  const auto x = layer_positions(r.layers());
  chart.area(x, curve.lo, curve.hi, "backa");
  chart.curve(x, curve.null95, "null");
  if (given_class) chart.curve(x, *given_class, "mid");
  chart.curve(x, curve.nmi, "main");
  for (size_t l = 0; l < x.size(); ++l) {
    const bool chance = defined(curve.null95[l]) && curve.nmi[l] <= curve.null95[l];
    chart.mark(x[l], curve.nmi[l], 3.5, chance ? "hollowa" : "dota",
               cat("layer ", l, ": ", information_text(curve.nmi[l]), " (",
                   information_text(curve.lo[l]), " to ", information_text(curve.hi[l]),
                   "), 95 % null ", information_text(curve.null95[l])));
  }
  std::vector<Chart::Label> labels{{curve.nmi.back(), what, "s a"}};
  if (given_class && defined(given_class->back()))
    labels.push_back({given_class->back(), "given the class", "s g"});
  if (defined(curve.null95.back()))
    labels.push_back({curve.null95.back(), "shuffled, 95 %", "s g"});
  if (defined(curve.nmi.back())) chart.end_labels(labels);
  return chart.svg();
}

std::string csv_of(const NmiCurve& curve, const Row& given_class) {
  Csv csv("layer,nmi,lo,hi,null95,p,given_class");
  for (size_t l = 0; l < curve.nmi.size(); ++l)
    csv.cell(static_cast<int64_t>(l))
        .cell(curve.nmi[l])
        .cell(curve.lo[l])
        .cell(curve.hi[l])
        .cell(curve.null95[l])
        .cell(curve.p[l])
        .cell(l < given_class.size() ? given_class[l] : kUndefined)
        .end();
  return csv.text();
}

Json data_of(const Routing& r, const NmiCurve& curve) {
  return {{"nmi", curve.nmi},
          {"lo", curve.lo},
          {"hi", curve.hi},
          {"null95", curve.null95},
          {"p", curve.p},
          {"permutations", r.plan.draws},
          {"null_kind", r.plan.kind},
          {"null_unit", r.plan.unit},
          {"normaliser", "min"}};
}

bool all_undefined(const Row& row) { return std::none_of(row.begin(), row.end(), defined); }

}  // namespace

Figure nmi_domain_figure(const ReportData& data) {
  Figure f;
  f.slug = "nmi-domain", f.number = "4a", f.title = "How much the expert tells about the domain",
  f.section = "routing", f.unit = "NMI";
  f.reading =
      "Above the dashed null, experts depend on the domain; the grey line is what is left once the "
      "class is known.";
  f.definition =
      "I(domain; expert) ÷ min(H(domain), H(expert)) over assignments, domains weighted equally. "
      "Band: bootstrap over sequences. "
      "Hollow points lie at or below the 95th percentile of the null. Grey: I(domain; expert | "
      "class) over the same divisor.";
  if (!data.routing) {
    mark_untraced(f, data);
    return f;
  }
  const Routing& r = *data.routing;
  if (all_undefined(r.domain.nmi)) {
    f.empty = "One domain only: there is nothing to tell apart.";
    return f;
  }
  f.definition += cat(" Null: ", r.plan.unit, ", ", r.plan.draws, " draws.");
  if (r.plan.permutations.empty())
    f.finding =
        "Confounded with scene: every domain has its own scenes, so no null and no p-value can be "
        "given.";
  f.sample = trace_sample(r);
  f.views.push_back({"all", "", {draw(r, r.domain, "domain", &r.domain.given_class)}, -1, ""});
  f.csv = csv_of(r.domain, r.domain.given_class);
  Json json = data_of(r, r.domain);
  json["given_class"] = r.domain.given_class;
  json["status"] = r.plan.status;
  f.data = json.dump();
  return f;
}

Figure nmi_class_figure(const ReportData& data) {
  Figure f;
  f.slug = "nmi-class", f.number = "4b", f.title = "How much the expert tells about the class",
  f.section = "routing", f.unit = "NMI";
  f.reading =
      "Compare with the figure before: if both rise together, domain and class may be the same "
      "signal.";
  f.definition =
      "I(class; expert) ÷ min(H(class), H(expert)) over labelled assignments. Null: the label runs "
      "of whole sequences are laid down in shuffled order.";
  if (!data.routing) {
    mark_untraced(f, data);
    return f;
  }
  const Routing& r = *data.routing;
  if (all_undefined(r.classes.nmi)) {
    f.empty = "No class labels in the trace.";
    return f;
  }
  f.sample = trace_sample(r);
  f.views.push_back({"all", "", {draw(r, r.classes, "class", nullptr)}, -1, ""});
  f.csv = csv_of(r.classes, {});
  f.data = data_of(r, r.classes).dump();
  return f;
}

}  // namespace switchyard
