// Figure 7: first choices through depth as ribbons.

#include <algorithm>
#include <cmath>

#include "core/base/text.h"
#include "core/io/json.h"
#include "eval/report/figures/figures.h"
#include "eval/report/number.h"
#include "eval/report/palette.h"

namespace switchyard {
namespace {

constexpr int64_t kColumns = 4, kMostLinks = 60;
constexpr double kThreshold = 0.012;

class Sankey {
 public:
  Sankey(const Routing& r, const FlowFigure& flow) : r_(r), flow_(flow) {
    for (size_t c = 0; c < flow.columns.size(); ++c) place_column(c);
  }

  Svg draw() const {
    Svg svg(kWidth, kHeight);
    for (size_t c = 0; c + 1 < flow_.columns.size(); ++c) ribbons(svg, c);
    for (size_t c = 0; c < flow_.columns.size(); ++c) nodes(svg, c);
    return svg;
  }

 private:
  static constexpr double kWidth = 760, kHeight = 330, kTop = 26, kBottom = 6;
  static constexpr double kLeft = 34, kRight = 74, kNode = 10;

  double x(size_t c) const {
    const double span = kWidth - kLeft - kRight - kNode;
    return kLeft + span * static_cast<double>(c) /
                       static_cast<double>(std::max<size_t>(flow_.columns.size() - 1, 1));
  }

  double unit(size_t c) const { return kHeight - kTop - kBottom - gap(c) * count(c); }
  double count(size_t c) const { return static_cast<double>(flow_.node[c].size()); }
  double gap(size_t c) const { return count(c) <= 16 ? 7 : 1; }

  void place_column(size_t c) {
    const auto layer = static_cast<size_t>(flow_.columns[c]);
    Row top(flow_.node[c].size());
    double y = kTop;
    for (int64_t e : r_.tracks.tracks[layer]) {
      if (e < 0) continue;
      const double share = flow_.node[c][static_cast<size_t>(e)];
      top[static_cast<size_t>(e)] = y;
      y += unit(c) * (defined(share) ? share : 0) + gap(c);
    }
    top_.push_back(top);
    track_.push_back(r_.tracks.track_of(flow_.columns[c], r_.trace.sites[layer].experts));
  }

  /// Experts of a column from top to bottom.
  Indices down(size_t c) const {
    Indices out;
    for (int64_t e : r_.tracks.tracks[static_cast<size_t>(flow_.columns[c])])
      if (e >= 0) out.push_back(e);
    return out;
  }

  void ribbons(Svg& svg, size_t c) const {
    const auto& shown = flow_.link_shown[c];
    Row from = top_[c], to = top_[c + 1];
    for (int64_t a : down(c))
      for (int64_t b : down(c + 1)) {
        const double share = flow_.link[c][static_cast<size_t>(a)][static_cast<size_t>(b)];
        if (!defined(share)) continue;
        double &y0 = from[static_cast<size_t>(a)], &y1 = to[static_cast<size_t>(b)];
        if (std::find(shown.begin(), shown.end(), std::pair{a, b}) != shown.end())
          ribbon(svg, c, a, b, y0, y1);
        y0 += share * unit(c), y1 += share * unit(c + 1);
      }
  }

  void ribbon(Svg& svg, size_t c, int64_t a, int64_t b, double y0, double y1) const {
    const double share = flow_.link[c][static_cast<size_t>(a)][static_cast<size_t>(b)];
    const double x0 = x(c) + kNode, x1 = x(c + 1), middle = (x0 + x1) / 2;
    const double low0 = y0 + share * unit(c), low1 = y1 + share * unit(c + 1);
    const auto at = [](double px, double py) { return svg_number(px) + " " + svg_number(py); };
    const std::string d =
        cat("M", at(x0, y0), "C", at(middle, y0), " ", at(middle, y1), " ", at(x1, y1), "L",
            at(x1, low1), "C", at(middle, low1), " ", at(middle, low0), " ", at(x0, low0), "Z");
    svg.about(expert_address(flow_.columns[c], a));
    svg.path(d, expert_class(track_[c][static_cast<size_t>(a)]) + " ribbon",
             cat("layer ", flow_.columns[c], " ", expert_name(a), " to layer ",
                 flow_.columns[c + 1], " ", expert_name(b), ": ", percent_text(share, 1)));
    svg.about("");
  }

  void nodes(Svg& svg, size_t c) const {
    const bool last = c + 1 == flow_.columns.size();
    svg.text(c == 0 ? 0 : x(c) + kNode / 2, 12, cat("layer ", flow_.columns[c]), "b",
             c == 0 ? "start" : "middle");
    for (int64_t e : down(c)) {
      const auto i = static_cast<size_t>(e);
      const double share = flow_.node[c][i], h = unit(c) * (defined(share) ? share : 0);
      svg.about(expert_address(flow_.columns[c], e));
      svg.rect(x(c), top_[c][i], kNode, std::max(h, 0.5), expert_class(track_[c][i]),
               cat("layer ", flow_.columns[c], ", ", expert_name(e), ": first choice of ",
                   percent_text(share, 1)));
      if (h + gap(c) >= 9) {
        const std::string name =
            last ? cat(expert_name(e), "  ", percent_text(share)) : expert_name(e);
        if (c == 0)
          svg.text(x(c) - 5, top_[c][i] + h / 2 + 4, name, "s halo", "end");
        else
          svg.text(x(c) + kNode + 4, top_[c][i] + h / 2 + 4, name, "s halo");
      }
      svg.about("");
    }
  }

  const Routing& r_;
  const FlowFigure& flow_;
  Table top_;  // [column][expert]
  IndexTable track_;
};

std::string finding(const Routing& r, const FlowFigure& flow) {
  std::string out = cat("Paths under ", percent_text(kThreshold, 1), " are not drawn; ",
                        percent_text(mean(flow.shown)), " of the tokens are shown.");
  Row kept, null;
  for (size_t l = 0; l < r.tracks.kept.size(); ++l)
    if (defined(r.tracks.kept[l]) && defined(r.tracks.null95[l]))
      kept.push_back(r.tracks.kept[l]), null.push_back(r.tracks.null95[l]);
  if (!kept.empty())
    out += cat(" From one layer to the next ", percent_text(mean(kept)),
               " of the first choices stay in their column, ", percent_text(mean(null)),
               " with shuffled sequences (95th percentile).");
  return out;
}

std::string csv_of(const FlowFigure& flow) {
  Csv csv("layer_a,layer_b,expert_a,expert_b,share,shown");
  for (size_t c = 0; c < flow.link.size(); ++c)
    for (size_t a = 0; a < flow.link[c].size(); ++a)
      for (size_t b = 0; b < flow.link[c][a].size(); ++b) {
        const std::pair<int64_t, int64_t> pair(a, b);
        const auto& shown = flow.link_shown[c];
        const bool drawn = std::find(shown.begin(), shown.end(), pair) != shown.end();
        csv.cell(flow.columns[c])
            .cell(flow.columns[c + 1])
            .cell(pair.first)
            .cell(pair.second)
            .cell(flow.link[c][a][b])
            .cell(std::string(drawn ? "true" : "false"))
            .end();
      }
  return csv.text();
}

}  // namespace

Figure flow_ribbons_figure(const ReportData& data) {
  Figure f;
  f.slug = "flow", f.number = "7", f.title = "Flow of first choices through depth",
  f.section = "routing", f.unit = "share of tokens", f.span = 8;
  f.reading =
      "Ribbon width is the share of tokens; colour is the expert they come from and follows the "
      "flow.";
  f.definition =
      "First choice: the routed slot with the largest weight, counted on finest-level tokens. Null "
      "of the columns: first choices of the deeper layer moved in blocks of whole sequences, then "
      "matched again. Only the colours of the first 16 tracks differ.";
  if (!data.routing) {
    mark_untraced(f, data);
    return f;
  }
  const Routing& r = *data.routing;
  if (r.layers() < 2) {
    f.empty = "Fewer than two MoE layers.";
    return f;
  }
  if (r.tracks.status != "ok") {
    f.empty = "The trace does not say which token of a coarser layer holds which finest one.";
    f.how = cat("switchyard eval ", data.shown.folder.string(),
                " trace.enabled=true\nswitchyard report ", data.folder.string());
    return f;
  }
  const FlowFigure flow = flow_figure(r.trace, kColumns, kThreshold, kMostLinks);
  f.finding = finding(r, flow);
  f.sample = trace_sample(r);
  f.views.push_back({"all", "", {Sankey(r, flow).draw()}, -1, ""});
  f.csv = csv_of(flow);
  f.data = Json{{"columns", flow.columns},
                {"node", flow.node},
                {"link", flow.link},
                {"threshold", kThreshold},
                {"shown", flow.shown}}
               .dump();
  return f;
}

}  // namespace switchyard
