// Figure 8: which expert takes which class.

#include "eval/analysis/labels.h"

#include <algorithm>
#include <numeric>

#include "core/base/text.h"
#include "core/io/json.h"
#include "eval/analysis/coactivation.h"
#include "eval/report/figures/figures.h"
#include "eval/report/level_paths.h"
#include "eval/report/number.h"
#include "eval/report/palette.h"
#include "eval/report/scales.h"

namespace switchyard {
namespace {

constexpr size_t kMostLabels = 40;

/// Share of each expert over all labelled assignments: what a class tells nothing beyond.
Row pooled(const IndexTable& count) {
  Row out(count.empty() ? 0 : count.front().size());
  for (const Indices& row : count)
    for (size_t e = 0; e < row.size(); ++e) out[e] += static_cast<double>(row[e]);
  const double total = std::accumulate(out.begin(), out.end(), 0.0);
  for (double& x : out) x = total > 0 ? x / total : kUndefined;
  return out;
}

class LabelGrid {
 public:
  LabelGrid(const Routing& r, const LabelTable& table, const Coactivation& pairs, size_t l)
      : r_(r), table_(table), l_(l), order_(pairs.order[l]) {
    if (order_.empty()) order_ = all_indices(r.trace.sites[l].experts);
    rows_ = centre_order(table.share[l], order_);
    std::erase_if(rows_, [&](int64_t c) { return table.tokens[l][c] == 0; });
    keep_largest();
    width_ = std::clamp(std::floor(380 / static_cast<double>(order_.size())), 3.0, 40.0);
  }

  Svg draw() const {
    const double across = width_ * static_cast<double>(order_.size());
    const double end = kTop + kHeight * static_cast<double>(rows_.size() + 1) + 6;
    Svg svg(std::max(kLeft + across + 66, kLeft + 244.0), end + 58);
    head(svg, across);
    for (size_t i = 0; i < rows_.size(); ++i) {
      const auto c = static_cast<size_t>(rows_[i]);
      row(svg, kTop + kHeight * static_cast<double>(i), r_.trace.classes[c], table_.share[l_][c]);
      svg.text(kLeft + across + 62, kTop + kHeight * (static_cast<double>(i) + 0.5) + 4,
               count_text(table_.tokens[l_][c]), "s g", "end");
    }
    row(svg, end - kHeight, "all classes", pooled(table_.count[l_]));
    svg.place(
        share_scale(kLeft, static_cast<double>(order_.size()), r_.mean_k(static_cast<int64_t>(l_))),
        0, end + 10);
    return svg;
  }

 private:
  static constexpr double kLeft = 108, kTop = 22, kHeight = 20;

  void keep_largest() {
    if (rows_.size() <= kMostLabels) return;
    Indices by_size = rows_;
    std::stable_sort(by_size.begin(), by_size.end(), [&](int64_t a, int64_t b) {
      return table_.tokens[l_][a] > table_.tokens[l_][b];
    });
    by_size.resize(kMostLabels);
    std::erase_if(rows_, [&](int64_t c) {
      return std::find(by_size.begin(), by_size.end(), c) == by_size.end();
    });
  }

  void head(Svg& svg, double across) const {
    svg.text(kLeft + across + 62, 14, "tokens", "s g", "end");
    if (width_ < 16) return;
    for (size_t j = 0; j < order_.size(); ++j) {
      svg.about(expert_address(static_cast<int64_t>(l_), order_[j]));
      svg.text(kLeft + width_ * (static_cast<double>(j) + 0.5), 14,
               width_ < 24 ? cat(order_[j]) : expert_name(order_[j]), "s", "middle");
    }
    svg.about("");
  }

  void row(Svg& svg, double y, const std::string& name, const Row& share) const {
    const auto experts = static_cast<double>(order_.size());
    const double k = r_.mean_k(static_cast<int64_t>(l_));
    svg.text(kLeft - 8, y + kHeight / 2 + 4, short_name(name, 15), name == "all classes" ? "b" : "",
             "end");
    const bool tipped =
        r_.layers() * static_cast<int64_t>(experts) * static_cast<int64_t>(rows_.size() + 1) <=
        kMostTippedCells;
    LevelPaths paths;
    for (size_t j = 0; j < order_.size(); ++j) {
      const double x = kLeft + width_ * static_cast<double>(j), value = share[order_[j]];
      const std::string shade = share_class(value, experts, k);
      if (!tipped) {
        paths.cell(x, y, width_, kHeight - 1, shade + " cell");
        continue;
      }
      svg.about(expert_address(static_cast<int64_t>(l_), order_[j]));
      svg.rect(
          x, y, width_ - (width_ > 6 ? 1 : 0), kHeight - 1, shade + " cell",
          cat(name, ", layer ", l_, ", ", expert_name(order_[j]), ": ", percent_text(value, 1)));
      if (width_ >= 22 && value >= 0.005)
        svg.text(x + width_ / 2, y + kHeight / 2 + 4, fixed_text(100 * value, 0),
                 "s " + text_on(shade), "middle");
      svg.about("");
    }
    paths.draw(svg);
  }

  const Routing& r_;
  const LabelTable& table_;
  size_t l_;
  Indices order_, rows_;
  double width_;
};

std::string finding(const Routing& r, const LabelTable& table) {
  const auto l = static_cast<size_t>(r.reference);
  int64_t best_c = -1, best_e = -1;
  for (size_t c = 0; c < table.share[l].size(); ++c)
    for (size_t e = 0; e < table.share[l][c].size(); ++e) {
      const double x = table.share[l][c][e];
      if (defined(x) && (best_c < 0 || x > table.share[l][best_c][best_e]))
        best_c = static_cast<int64_t>(c), best_e = static_cast<int64_t>(e);
    }
  if (best_c < 0) return "";
  return cat("At layer ", l, " ", expert_name(best_e),
             " takes the largest part of a class: ", percent_text(table.share[l][best_c][best_e]),
             " of ", r.trace.classes[best_c], "; of all classes it takes ",
             percent_text(pooled(table.count[l])[best_e]), ".");
}

std::string csv_of(const Routing& r, const LabelTable& table) {
  Csv csv("layer,class,expert,track,tokens,count,share");
  for (size_t l = 0; l < table.share.size(); ++l) {
    const auto layer = static_cast<int64_t>(l);
    const Indices track = r.tracks.track_of(layer, r.trace.sites[l].experts);
    for (size_t c = 0; c < table.share[l].size(); ++c)
      for (size_t e = 0; e < track.size(); ++e)
        csv.cell(layer)
            .cell(r.trace.classes[c])
            .cell(static_cast<int64_t>(e))
            .cell(track[e])
            .cell(table.tokens[l][c])
            .cell(table.count[l][c][e])
            .cell(table.share[l][c][e])
            .end();
  }
  return csv.text();
}

}  // namespace

Figure labels_figure(const ReportData& data) {
  Figure f;
  f.slug = "labels", f.number = "8", f.title = "Experts by class", f.section = "routing",
  f.unit = "share";
  f.reading =
      "Each row sums to 100 %; a class that the router ignores looks like the last row. Columns in "
      "the order of figure 6. Follows the layer slider.";
  f.definition =
      "Share of the assignments of a class's tokens that went to each expert. Rows by centre of "
      "mass over the columns; at most the 40 classes with most tokens. A pooled token has the "
      "majority class.";
  if (!data.routing) {
    mark_untraced(f, data);
    return f;
  }
  const Routing& r = *data.routing;
  const LabelTable table = label_table(r.trace, r.counts);
  const auto no_labels = [](const Indices& t) { return t == Indices(t.size(), 0); };
  if (std::all_of(table.tokens.begin(), table.tokens.end(), no_labels)) {
    f.empty = "No class labels in the trace.";
    return f;
  }
  const Coactivation pairs = coactivation(r.trace);
  f.finding = finding(r, table);
  f.sample = trace_sample(r);
  f.default_layer = r.reference;
  for (int64_t l = 0; l < r.layers(); ++l)
    f.views.push_back(
        {cat("layer", l), "", {LabelGrid(r, table, pairs, static_cast<size_t>(l)).draw()}, l, ""});
  f.csv = csv_of(r, table);
  f.data = Json{{"labels", r.trace.classes},
                {"tokens", table.tokens},
                {"count", table.count},
                {"share", table.share},
                {"by_domain", table.by_domain}}
               .dump();
  return f;
}

}  // namespace switchyard
