// Figure 2: share of each expert by layer and domain, in three views.

#include <algorithm>
#include <cmath>

#include "core/base/text.h"
#include "core/io/json.h"
#include "eval/report/figures/figures.h"
#include "eval/report/layer_grid.h"
#include "eval/report/number.h"
#include "eval/report/palette.h"
#include "eval/report/scales.h"
#include "eval/report/share_null.h"

namespace switchyard {
namespace {

class ShareGrids {
 public:
  explicit ShareGrids(const ReportData& data)
      : r_(*data.routing),
        grids_(data.layers, static_cast<int64_t>(data.routing->trace.domains.size())) {
    const Routing& r = r_;
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
      out.push_back(grids_.draw(grid(d, view)));
      out.back().of_domain(place);
    }
    if (view == "share") out.push_back(grids_.draw(grid(-1, view)));
    out.push_back(scale(view));
    return out;
  }

 private:
  double share_at(int64_t d, size_t l, size_t e) const {
    return d < 0 ? r_.load.mean_share[l][e] : r_.load.share[l][static_cast<size_t>(d)][e];
  }

  GridCell cell(int64_t d, size_t l, size_t e, const std::string& view,
                const std::string& name) const {
    const double share = share_at(d, l, e),
                 experts = static_cast<double>(r_.trace.sites[l].experts);
    GridCell out;
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

  LayerGrid grid(int64_t d, const std::string& view) const {
    LayerGrid out;
    out.name = d < 0 ? "mean of domains" : r_.trace.domains[static_cast<size_t>(d)].name;
    out.unseen = d >= 0 && !r_.trace.domains[static_cast<size_t>(d)].seen;
    out.state = d < 0 ? "reference" : out.unseen ? "never seen" : "seen";
    for (size_t l = 0; l < r_.trace.sites.size(); ++l) {
      out.rows.emplace_back(grids_.tracks());
      for (size_t t = 0; t < grids_.tracks(); ++t) {
        const int64_t e = r_.tracks.tracks[l][t];
        if (e >= 0) out.rows.back()[t] = cell(d, l, static_cast<size_t>(e), view, out.name);
      }
    }
    return out;
  }

  Svg scale(const std::string& view) const {
    if (view == "diff")
      return diverging_scale(LayerGrids::kLabel, "points from the mean of domains",
                             {"−30", "0", "+30"});
    if (view == "ratio")
      return diverging_scale(LayerGrids::kLabel, "share ÷ mean share of the seen domains",
                             {"⅛×", "1×", "8×"});
    return share_scale(LayerGrids::kLabel, static_cast<double>(r_.trace.sites.back().experts),
                       r_.mean_k(r_.layers() - 1));
  }

  const Routing& r_;
  LayerGrids grids_;
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
  const ShareGrids grids(data);
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
