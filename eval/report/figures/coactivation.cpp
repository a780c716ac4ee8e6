// Figure 6: which experts are chosen together, against independent choice.

#include "eval/analysis/coactivation.h"

#include <algorithm>
#include <cmath>

#include "core/base/text.h"
#include "core/io/json.h"
#include "eval/report/figures/figures.h"
#include "eval/report/level_paths.h"
#include "eval/report/number.h"
#include "eval/report/palette.h"
#include "eval/report/scales.h"

namespace switchyard {
namespace {

constexpr int64_t kMinPairs = 20;
constexpr double kRange = 3;  // 1/8 to 8 times

class LiftGrid {
 public:
  LiftGrid(const Routing& r, const Coactivation& c, size_t l)
      : r_(r),
        l_(l),
        order_(c.order[l].empty() ? all_indices(r.trace.sites[l].experts) : c.order[l]),
        pairs_(c.pair_count[l]),
        lift_(c.lift[l]) {
    const auto n = static_cast<double>(order_.size());
    size_ =
        n <= 16 ? std::clamp(std::floor(280 / n), 18.0, 34.0) : std::max(2.0, std::floor(340 / n));
  }

  Svg draw() const {
    const double n = static_cast<double>(order_.size()), across = n * size_;
    const double left = named() ? kLeft : 0, top = named() ? kTop : 0;
    Svg svg(std::max(left + across + 2, kLeft + 232), top + across + 56);
    if (named()) names(svg);
    if (r_.layers() * static_cast<int64_t>(n * n) > kMostTippedCells) {
      LevelPaths paths;
      each([&](size_t i, size_t j, double x, double y) {
        paths.cell(left + x, top + y, size_, size_, shade(i, j) + " cell");
      });
      paths.draw(svg);
    } else {
      each([&](size_t i, size_t j, double x, double y) {
        svg.rect(left + x, top + y, size_ - 1, size_ - 1, shade(i, j) + " cell", tip(i, j));
      });
    }
    svg.place(diverging_scale(left, "against independent choice", {"⅛×", "1×", "8×"}), 0,
              top + across + 10);
    return svg;
  }

 private:
  static constexpr double kLeft = 30, kTop = 20;

  bool named() const { return size_ >= 14; }

  template <class Draw>
  void each(Draw draw) const {
    for (size_t i = 0; i < order_.size(); ++i)
      for (size_t j = 0; j < order_.size(); ++j)
        draw(i, j, size_ * static_cast<double>(j), size_ * static_cast<double>(i));
  }

  void names(Svg& svg) const {
    for (size_t i = 0; i < order_.size(); ++i) {
      const double at = size_ * (static_cast<double>(i) + 0.5);
      const std::string name = size_ < 24 ? cat(order_[i]) : expert_name(order_[i]);
      svg.about(expert_address(static_cast<int64_t>(l_), order_[i]));
      svg.text(kLeft - 6, kTop + at + 4, name, "s", "end");
      svg.text(kLeft + at, kTop - 6, name, "s", "middle");
    }
    svg.about("");
  }

  std::string shade(size_t i, size_t j) const {
    const int64_t a = order_[i], b = order_[j];
    if (a == b) return "back";
    return pairs_[a][b] < kMinPairs ? "d0" : diverging_class(lift_[a][b], kRange);
  }

  std::string tip(size_t i, size_t j) const {
    const int64_t a = order_[i], b = order_[j];
    const auto tokens = static_cast<double>(r_.trace.sites[l_].tokens());
    if (a == b)
      return cat("layer ", l_, ", ", expert_name(a), ": chosen by ",
                 percent_text(static_cast<double>(pairs_[a][a]) / tokens, 1), " of the tokens");
    const std::string pair = cat("layer ", l_, ", ", expert_name(a), " and ", expert_name(b), ": ");
    if (pairs_[a][b] < kMinPairs)
      return cat(pair, count_text(pairs_[a][b]), " tokens, too few for a ratio");
    return cat(pair, ratio_text(std::exp2(lift_[a][b])), " independent choice, ",
               count_text(pairs_[a][b]), " tokens");
  }

  const Routing& r_;
  size_t l_;
  Indices order_;
  const IndexTable& pairs_;
  const Table& lift_;
  double size_;
};

std::string finding(const Coactivation& c, int64_t layer) {
  const Table& lift = c.lift[static_cast<size_t>(layer)];
  int64_t best_a = -1, best_b = -1;
  for (size_t a = 0; a < lift.size(); ++a)
    for (size_t b = a + 1; b < lift.size(); ++b)
      if (defined(lift[a][b]) && (best_a < 0 || lift[a][b] > lift[best_a][best_b]))
        best_a = static_cast<int64_t>(a), best_b = static_cast<int64_t>(b);
  if (best_a < 0) return cat("At layer ", layer, " no pair is frequent enough for a ratio.");
  return cat("At layer ", layer, " ", expert_name(best_a), " and ", expert_name(best_b),
             " stand out most: ", ratio_text(std::exp2(lift[best_a][best_b])),
             " as often together as independent choice would give.");
}

std::string csv_of(const Routing& r, const Coactivation& c) {
  Csv csv("layer,expert_a,expert_b,track_a,track_b,tokens,log2_lift");
  for (size_t l = 0; l < c.lift.size(); ++l) {
    const auto layer = static_cast<int64_t>(l);
    const Indices track = r.tracks.track_of(layer, r.trace.sites[l].experts);
    for (size_t a = 0; a < track.size(); ++a)
      for (size_t b = a; b < track.size(); ++b)
        csv.cell(layer)
            .cell(static_cast<int64_t>(a))
            .cell(static_cast<int64_t>(b))
            .cell(track[a])
            .cell(track[b])
            .cell(c.pair_count[l][a][b])
            .cell(c.lift[l][a][b])
            .end();
  }
  return csv.text();
}

}  // namespace

Figure coactivation_figure(const ReportData& data) {
  Figure f;
  f.slug = "coactivation", f.number = "6", f.title = "Experts chosen together",
  f.section = "routing", f.unit = "log2 lift", f.span = 4;
  f.reading =
      "Orange pairs are chosen together more often than independent choice would give. "
      "Neighbours are alike. Follows the layer slider.";
  f.definition =
      "P(both) ÷ P(a) P(b) over all tokens; routed slots as selected. With top-k, k of E experts "
      "without preference come out slightly below 1×, as a token never takes one twice. Darkest "
      "blue: fewer than 20 tokens, too few for a ratio. Order: average linkage of 1 − both ÷ "
      "either.";
  if (!data.routing) {
    mark_untraced(f, data);
    return f;
  }
  const Routing& r = *data.routing;
  const Coactivation c = coactivation(r.trace, kMinPairs);
  if (std::all_of(c.order.begin(), c.order.end(), [](const auto& o) { return o.empty(); })) {
    f.empty = "k = 1: a token has one expert.";
    f.how = cat("switchyard eval ", data.shown.folder.string(),
                " eval.override.k=2\nswitchyard report ", data.folder.string());
    return f;
  }
  f.finding = finding(c, r.reference);
  f.sample = trace_sample(r);
  f.default_layer = r.reference;
  for (int64_t l = 0; l < r.layers(); ++l)
    f.views.push_back(
        {cat("layer", l), "", {LiftGrid(r, c, static_cast<size_t>(l)).draw()}, l, ""});
  f.csv = csv_of(r, c);
  f.data =
      Json{{"pair_count", c.pair_count}, {"lift", c.lift}, {"order", c.order}, {"min_pairs", kMinPairs}}
          .dump();
  return f;
}

}  // namespace switchyard
