// Figure 3b: entropy of the router per token and of its mean; their distance is I(token; expert).

#include <algorithm>

#include "core/base/text.h"
#include "core/io/json.h"
#include "eval/report/chart.h"
#include "eval/report/figures/figures.h"
#include "eval/report/number.h"

namespace switchyard {
namespace {

Svg draw(const Routing& r) {
  const RouterEntropy& h = r.entropy;
  ChartAxes axes;
  axes.x_hi = static_cast<double>(std::max<int64_t>(r.layers() - 1, 1));
  axes.y_hi = *std::max_element(h.log2_experts.begin(), h.log2_experts.end()) * 1.05;
  axes.right = 40;
  axes.x_title = "layer", axes.y_title = "entropy, bits (right: ÷ log2 E)";
  Chart chart(axes);
  chart.y_ticks(4, 1);
  chart.layer_ticks(r.layers());
  const auto x = layer_positions(r.layers());
  chart.curve(x, h.log2_experts, "null");
  chart.curve(x, h.mean_softmax_bits, "mid");
  chart.curve(x, h.token_bits, "dark");
  for (size_t l = 0; l < x.size(); ++l) {
    chart.mark(
        x[l], h.mean_softmax_bits[l], 3, "dot2",
        cat("layer ", l, ": mean softmax ", information_text(h.mean_softmax_bits[l]), " bits"));
    chart.mark(x[l], h.token_bits[l], 3.5, "dot",
               cat("layer ", l, ": per token ", information_text(h.token_bits[l]), " bits"));
  }
  const double top = h.log2_experts.back();
  for (double part : {0.0, 0.5, 1.0})
    chart.svg().text(axes.width - axes.right + 8, chart.y(part * top) + 4,
                     part == 0.5 ? "½" : fixed_text(part, 0), "s g");
  chart.svg().text(chart.x(0), chart.y(h.mean_softmax_bits[0]) - 8, "use of experts: mean softmax",
                   "s g");
  chart.svg().text(chart.x(0), chart.y(h.token_bits[0]) + 18, "undecidedness of a token", "s b");
  return chart.svg();
}

std::string csv_of(const RouterEntropy& h) {
  Csv csv("layer,token_bits,mean_softmax_bits,mutual_information,assignment_bits,log2_experts");
  for (size_t l = 0; l < h.token_bits.size(); ++l)
    csv.cell(static_cast<int64_t>(l))
        .cell(h.token_bits[l])
        .cell(h.mean_softmax_bits[l])
        .cell(h.mutual_information[l])
        .cell(h.assignment_bits[l])
        .cell(h.log2_experts[l])
        .end();
  return csv.text();
}

Json data_of(const RouterEntropy& h) {
  return {{"token_bits", h.token_bits},
          {"token_bits_domain", h.token_bits_domain},
          {"mean_softmax_bits", h.mean_softmax_bits},
          {"assignment_bits", h.assignment_bits},
          {"log2_experts", h.log2_experts}};
}

}  // namespace

Figure entropy_figure(const ReportData& data) {
  Figure f;
  f.slug = "entropy", f.number = "3b", f.title = "Routing entropy", f.section = "routing",
  f.unit = "bits";
  f.reading =
      "The distance between the lines is what the token tells the router; dashed is the ceiling "
      "log2 E.";
  f.definition =
      "Mean entropy of a token's softmax over the competing slots, and entropy of the mean "
      "softmax; domains weigh the same in both, "
      "so that the distance is exactly I(token; expert) ≥ 0.";
  if (!data.routing) {
    mark_untraced(f, data);
    return f;
  }
  const Routing& r = *data.routing;
  if (std::none_of(r.entropy.token_bits.begin(), r.entropy.token_bits.end(), defined)) {
    f.empty = "Only chosen slots were traced.";
    f.how = cat("switchyard eval ", data.shown.folder.string(),
                " trace.scores=true\nswitchyard report ", data.folder.string());
    return f;
  }
  f.sample = trace_sample(r);
  f.views.push_back({"all", "", {draw(r)}, -1, ""});
  f.csv = csv_of(r.entropy);
  f.data = data_of(r.entropy).dump();
  return f;
}

}  // namespace switchyard
