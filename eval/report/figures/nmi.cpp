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

/// What is left once the class is known, against the same permutations; empty in figure 4b.
struct GivenClass {
  Row value, null95, p;  ///< [l]
};

/// Common top of both figures.
double top_of(const Routing& r) {
  double top = 0.05;
  for (const Row* row : {&r.domain.nmi, &r.domain.hi, &r.domain.null95, &r.domain.given_class,
                         &r.classes.nmi, &r.classes.hi, &r.classes.null95})
    for (double x : *row)
      if (defined(x)) top = std::max(top, x);
  return std::min(1.0, std::ceil(top * 20 + 0.2) / 20);
}

ChartAxes axes_of(const Routing& r, const std::string& what) {
  ChartAxes axes;
  axes.x_hi = static_cast<double>(std::max<int64_t>(r.layers() - 1, 1));
  axes.y_hi = top_of(r);
  axes.right = 104;
  axes.x_title = "layer", axes.y_title = cat("NMI(", what, "; expert), 0 to 1");
  return axes;
}

void mark_layer(Chart& chart, const NmiCurve& curve, size_t l) {
  const bool chance = defined(curve.null95[l]) && curve.nmi[l] <= curve.null95[l];
  chart.mark(static_cast<double>(l), curve.nmi[l], 3.5, chance ? "hollowa" : "dota",
             cat("layer ", l, ": ", information_text(curve.nmi[l]), " (",
                 information_text(curve.lo[l]), " to ", information_text(curve.hi[l]),
                 "), 95 % null ", information_text(curve.null95[l])));
}

void draw_given_class(Chart& chart, const Row& x, const GivenClass& given) {
  if (given.value.empty()) return;
  chart.curve(x, given.value, "mid");
  for (size_t l = 0; l < given.value.size(); ++l) {
    const bool chance = defined(given.null95[l]) && given.value[l] <= given.null95[l];
    chart.mark(x[l], given.value[l], 2.5, chance ? "hollow" : "dot2",
               cat("layer ", l, " given the class: ", information_text(given.value[l]),
                   ", 95 % null ", information_text(given.null95[l])));
  }
}

void label_ends(Chart& chart, const NmiCurve& curve, const std::string& what,
                const Row& given_class) {
  std::vector<Chart::Label> labels{{curve.nmi.back(), what, "s a"}};
  if (!given_class.empty() && defined(given_class.back()))
    labels.push_back({given_class.back(), "given the class", "s g"});
  if (defined(curve.null95.back()))
    labels.push_back({curve.null95.back(), "shuffled, 95 %", "s g"});
  if (defined(curve.nmi.back())) chart.end_labels(labels);
}

Svg draw(const Routing& r, const NmiCurve& curve, const std::string& what,
         const GivenClass& given) {
  Chart chart(axes_of(r, what));
  chart.y_ticks(5, chart.axes().y_hi <= 0.2 ? 2 : 1);
  chart.layer_ticks(r.layers());
  const auto x = layer_positions(r.layers());
  chart.area(x, curve.lo, curve.hi, "backa");
  chart.curve(x, curve.null95, "null");
  draw_given_class(chart, x, given);
  chart.curve(x, curve.nmi, "main");
  for (size_t l = 0; l < x.size(); ++l) mark_layer(chart, curve, l);
  label_ends(chart, curve, what, given.value);
  return chart.svg();
}

std::string csv_of(const NmiCurve& curve, const GivenClass& given) {
  Csv csv("layer,nmi,lo,hi,null95,p,given_class,given_class_null95,given_class_p");
  const auto at = [](const Row& row, size_t l) { return l < row.size() ? row[l] : kUndefined; };
  for (size_t l = 0; l < curve.nmi.size(); ++l)
    csv.cell(static_cast<int64_t>(l))
        .cell(curve.nmi[l])
        .cell(curve.lo[l])
        .cell(curve.hi[l])
        .cell(curve.null95[l])
        .cell(curve.p[l])
        .cell(at(given.value, l))
        .cell(at(given.null95, l))
        .cell(at(given.p, l))
        .end();
  return csv.text();
}

Json data_of(const Routing& r, const NmiCurve& curve, const GivenClass& given) {
  Json out{{"nmi", curve.nmi},
           {"lo", curve.lo},
           {"hi", curve.hi},
           {"null95", curve.null95},
           {"p", curve.p},
           {"permutations", r.plan.draws},
           {"null_kind", r.plan.kind},
           {"null_unit", r.plan.unit},
           {"status", r.plan.status},
           {"normaliser", "min"}};
  if (!given.value.empty()) {
    out["given_class"] = given.value;
    out["given_class_null95"] = given.null95;
    out["given_class_p"] = given.p;
  }
  return out;
}

struct Subject {
  std::string slug, number, what, reading, definition, empty;
};

Figure head(const Subject& about) {
  Figure f;
  f.slug = about.slug, f.number = about.number;
  f.title = "How much the expert tells about the " + about.what;
  f.section = "routing", f.unit = "NMI";
  f.reading = about.reading, f.definition = about.definition;
  return f;
}

void fill(Figure& f, const Subject& about, const Routing& r, const NmiCurve& curve,
          const GivenClass& given) {
  if (std::none_of(curve.nmi.begin(), curve.nmi.end(), defined)) {
    f.empty = about.empty;
    return;
  }
  f.sample = trace_sample(r);
  f.views.push_back({"all", "", {draw(r, curve, about.what, given)}, -1, ""});
  f.csv = csv_of(curve, given);
  f.data = data_of(r, curve, given).dump();
}

}  // namespace

Figure nmi_domain_figure(const ReportData& data) {
  const Subject about{
      "nmi-domain",
      "4a",
      "domain",
      "Above the dashed null, experts depend on the domain; the grey line is what is left once the "
      "class is known.",
      "I(domain; expert) ÷ min(H(domain), H(expert)) over assignments, domains weighted equally. "
      "Band: bootstrap over sequences. Hollow points lie at or below the 95th percentile of the "
      "null. Grey: I(domain; expert | class) over the same divisor, hollow where at or below its own "
      "null.",
      "One domain only: there is nothing to tell apart."};
  Figure f = head(about);
  if (!data.routing) {
    mark_untraced(f, data);
    return f;
  }
  const Routing& r = *data.routing;
  f.definition += cat(" Null: ", r.plan.unit, ", ", r.plan.draws, " draws.");
  fill(f, about, r, r.domain,
       {r.domain.given_class, r.domain.given_class_null95, r.domain.given_class_p});
  if (f.empty.empty() && r.plan.permutations.empty())
    f.finding =
        "Confounded with scene: every domain has its own scenes, so no null and no p-value can be "
        "given.";
  return f;
}

Figure nmi_class_figure(const ReportData& data) {
  const Subject about{
      "nmi-class",
      "4b",
      "class",
      "Compare with the figure before: if both rise together, domain and class may be the same "
      "signal.",
      "I(class; expert) ÷ min(H(class), H(expert)) over labelled assignments. Null: the label runs "
      "of whole sequences are laid down in shuffled order.",
      "No class labels in the trace."};
  Figure f = head(about);
  if (data.routing)
    fill(f, about, *data.routing, data.routing->classes, {});
  else
    mark_untraced(f, data);
  return f;
}

}  // namespace switchyard
