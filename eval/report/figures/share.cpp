// Figure 2: share of each expert by layer and domain, in three views.

#include <algorithm>
#include <cmath>

#include "core/base/text.h"
#include "core/io/json.h"
#include "eval/report/figures/figures.h"
#include "eval/report/level_paths.h"
#include "eval/report/number.h"
#include "eval/report/palette.h"
#include "eval/report/scales.h"
#include "eval/report/share_null.h"

namespace switchyard {
namespace {

constexpr double kLabel = 24, kTop = 34;

struct Cell {
  std::string classes, text, tip, expert;
  bool hatched = false;
};

struct Grid {
  std::string name, state;
  bool unseen = false;
  std::vector<std::vector<Cell>> rows;  // [layer][track]
};

class ShareGrids {
 public:
  explicit ShareGrids(const Routing& r) : r_(r), tracks_(r.tracks.tracks.front().size()) {
    for (int64_t l = 0; l < r.layers(); ++l) {
      const auto i = static_cast<size_t>(l);
      ratio_.push_back(log_share_ratio(r.load.share[i], r.trace.domains));
      null_.push_back(log_share_ratio_null95(r.trace, r.counts[i], r.plan));
    }
  }

  /// Whether any domain gives an expert more than 1.5 times its equal share.
  bool strong() const {
    for (const auto& layer : r_.load.share)
      for (const auto& row : layer)
        for (double x : row)
          if (x * static_cast<double>(row.size()) > 1.5) return true;
    return false;
  }

  std::vector<Svg> panels(const std::string& view) const {
    std::vector<Svg> out;
    for (int64_t d : r_.order) {
      const auto place = static_cast<int64_t>(out.size());
      out.push_back(draw(grid(d, view)));
      out.back().of_domain(place);
    }
    if (view == "share") out.push_back(draw(grid(-1, view)));
    out.push_back(scale(view));
    return out;
  }

 private:
  double share_at(int64_t d, size_t l, size_t e) const {
    return d < 0 ? r_.load.mean_share[l][e] : r_.load.share[l][static_cast<size_t>(d)][e];
  }

  Cell cell(int64_t d, size_t l, size_t e, const std::string& view, const std::string& name) const {
    const double share = share_at(d, l, e),
                 experts = static_cast<double>(r_.trace.sites[l].experts);
    Cell out;
    out.expert = expert_address(static_cast<int64_t>(l), static_cast<int64_t>(e));
    out.tip = cat(name, ", layer ", l, ", ", expert_name(static_cast<int64_t>(e)), ": ",
                  percent_text(share, 1), ", ", ratio_text(share * experts), " uniform");
    out.text = fixed_text(100 * share, 0);
    if (view == "share") {
      out.classes = share_class(share, experts, r_.mean_k(static_cast<int64_t>(l)));
    } else if (view == "diff") {
      const double diff = share - r_.load.mean_share[l][e];
      out.classes = diverging_class(diff, 0.3);
      out.tip += cat(", ", signed_text(100 * diff, 1), " points from the mean of domains");
      out.text = signed_text(100 * diff, 0);
    } else {
      const double ratio = ratio_[l][static_cast<size_t>(d)][e];
      const double null = null_[l].empty() ? kUndefined : null_[l][static_cast<size_t>(d)][e];
      out.classes = diverging_class(ratio, 3);
      out.hatched = defined(null) && std::abs(ratio) <= null;
      out.tip += cat(", ", defined(ratio) ? ratio_text(std::exp2(ratio)) : "–",
                     " the mean of seen domains", out.hatched ? ", within chance" : "");
    }
    return out;
  }

  Grid grid(int64_t d, const std::string& view) const {
    Grid out;
    out.name = d < 0 ? "mean of domains" : r_.trace.domains[static_cast<size_t>(d)].name;
    out.unseen = d >= 0 && !r_.trace.domains[static_cast<size_t>(d)].seen;
    out.state = d < 0 ? "reference" : out.unseen ? "never seen" : "seen";
    for (size_t l = 0; l < r_.trace.sites.size(); ++l) {
      out.rows.emplace_back(tracks_);
      for (size_t t = 0; t < tracks_; ++t) {
        const int64_t e = r_.tracks.tracks[l][t];
        if (e >= 0) out.rows.back()[t] = cell(d, l, static_cast<size_t>(e), view, out.name);
      }
    }
    return out;
  }

  double cell_width() const {
    const double t = static_cast<double>(tracks_);
    return tracks_ <= 16 ? std::clamp(std::floor(144 / t), 18.0, 36.0)
                         : std::max(2.0, std::floor(288 / t));
  }
  double cell_height() const {
    const double layers = static_cast<double>(r_.layers());
    return layers > 24 ? std::max(2.0, std::floor(150 / layers))
                       : std::clamp(std::floor(116 / layers), 12.0, 20.0);
  }
  double panel_width() const {
    return kLabel + std::max(cell_width() * static_cast<double>(tracks_), 140.0) + 6;
  }

  Svg draw(const Grid& grid) const {
    const double w = cell_width(), h = cell_height(), across = w * static_cast<double>(tracks_);
    const double bottom = kTop + h * static_cast<double>(grid.rows.size());
    Svg svg(panel_width(), bottom + (tracks_ <= 16 ? 18 : 6));
    svg.text(kLabel, 12, short_name(grid.name), "b");
    svg.text(kLabel, 26, grid.state, grid.unseen ? "s u" : "s g");
    const bool numbers = w >= 24 && h >= 12;
    LevelPaths paths;
    for (size_t l = 0; l < grid.rows.size(); ++l) {
      const double y = kTop + h * static_cast<double>(l);
      if (labelled(l)) svg.text(kLabel - 6, y + h / 2 + 4, cat(l), "s g", "end");
      for (size_t t = 0; t < tracks_; ++t)
        draw_cell(svg, paths, grid.rows[l][t], kLabel + w * static_cast<double>(t), y, numbers);
    }
    paths.draw(svg);
    for (size_t l = 0; l < grid.rows.size(); ++l)
      svg.rect(kLabel - 0.5, kTop + h * static_cast<double>(l) - 0.5, across + 1, h,
               cat("frame rowmark row", l, static_cast<int64_t>(l) == r_.reference ? "" : " off"));
    if (tracks_ <= 16)
      for (size_t t = 0; t < tracks_; ++t)
        if (const int64_t e = r_.tracks.tracks.back()[t]; e >= 0) {
          svg.about(expert_address(r_.layers() - 1, e));
          svg.text(kLabel + w * (static_cast<double>(t) + 0.5), bottom + 13,
                   w < 24 && tracks_ > 8 ? cat(e) : expert_name(e), "s", "middle");
        }
    svg.about("");
    return svg;
  }

  bool labelled(size_t l) const {
    const size_t layers = r_.trace.sites.size(), step = std::max<size_t>(1, (layers + 5) / 6);
    return l + 1 == layers || (l % step == 0 && layers - 1 - l >= (step + 1) / 2);
  }

  /// Too many cells for an element each: the CSV has their values.
  bool large() const {
    return r_.layers() * static_cast<int64_t>(tracks_ * r_.trace.domains.size()) > kMostTippedCells;
  }

  void draw_cell(Svg& svg, LevelPaths& paths, const Cell& cell, double x, double y,
                 bool numbers) const {
    if (cell.classes.empty()) return;
    if (large()) return paths.cell(x, y, cell_width(), cell_height(), cell.classes + " cell");
    const double gap = cell_width() > 6 ? 1 : 0, w = cell_width() - gap, h = cell_height() - gap;
    svg.about(cell.expert);
    svg.rect(x, y, w, h, cell.classes + " cell", cell.tip);
    if (cell.hatched)
      svg.path(cat("M", svg_number(x), " ", svg_number(y + h), "L", svg_number(x + std::min(w, h)),
                   " ", svg_number(y + h - std::min(w, h))),
               "hatch");
    if (numbers)
      svg.text(x + w / 2, y + h / 2 + 4, cell.text, "s " + text_on(cell.classes), "middle");
    svg.about("");
  }

  Svg scale(const std::string& view) const {
    if (view == "diff")
      return diverging_scale(kLabel, "points from the mean of domains", {"−30", "0", "+30"});
    if (view == "ratio")
      return diverging_scale(kLabel, "share ÷ mean share of the seen domains", {"⅛×", "1×", "8×"});
    return share_scale(kLabel, static_cast<double>(r_.trace.sites.back().experts),
                       r_.mean_k(r_.layers() - 1));
  }

  const Routing& r_;
  size_t tracks_;
  std::vector<Table> ratio_, null_;
};

std::string csv_of(const Routing& r) {
  Csv csv("layer,domain,seen,expert,track,count,share,uniform");
  for (size_t l = 0; l < r.trace.sites.size(); ++l) {
    const Indices track = r.tracks.track_of(static_cast<int64_t>(l), r.trace.sites[l].experts);
    for (size_t d = 0; d < r.trace.domains.size(); ++d)
      for (size_t e = 0; e < track.size(); ++e)
        csv.cell(static_cast<int64_t>(l))
            .cell(r.trace.domains[d].name)
            .cell(std::string(r.trace.domains[d].seen ? "true" : "false"))
            .cell(static_cast<int64_t>(e))
            .cell(track[e])
            .cell(r.load.count[l][d][e])
            .cell(r.load.share[l][d][e])
            .cell(r.load.uniform[l])
            .end();
  }
  return csv.text();
}

void describe(Figure& f, const Routing& r, bool strong) {
  f.reading =
      cat("Read along a row: grey is below an equal share, colour starts at it. A column follows "
          "the flow of tokens; its label is the expert of layer ",
          r.layers() - 1, ".");
  if (!strong)
    f.finding =
        "No expert exceeds 1.5× its equal share of any domain, so the figure opens on the ratio to "
        "the mean of the seen domains.";
  if (r.plan.permutations.empty())
    f.definition += " Here domains are confounded with scenes, so nothing is hatched.";
}

}  // namespace

Figure share_figure(const ReportData& data) {
  Figure f;
  f.slug = "share", f.number = "2", f.title = "Experts by layer and domain", f.section = "answer",
  f.unit = "share";
  f.definition =
      "Share of assignments: routed slots chosen for the tokens of a domain that went to an "
      "expert, before capacity; an equal "
      "share is 1 ÷ experts. Null and shared slots do not count. Domains weigh the same in the "
      "mean. Hatched: within the 95 % "
      "range of the same ratio with domains permuted as in figure 4.";
  if (!data.routing) {
    mark_untraced(f, data);
    return f;
  }
  const Routing& r = *data.routing;
  const ShareGrids grids(r);
  describe(f, r, grids.strong());
  f.sample = trace_sample(r);
  f.views = {{"share", "share", grids.panels("share"), -1, ""},
             {"diff", "difference", grids.panels("diff"), -1, ""},
             {"ratio", "ratio", grids.panels("ratio"), -1, ""}};
  if (!grids.strong()) f.default_view = "ratio";
  f.csv = csv_of(r);
  f.data = Json{{"share", r.load.share},
                {"count", r.load.count},
                {"uniform", r.load.uniform},
                {"token_share", r.load.token_share}}
               .dump();
  if (r.order.size() > 8 || r.tracks.tracks.front().size() > 16) f.span = 12;
  return f;
}

}  // namespace switchyard
