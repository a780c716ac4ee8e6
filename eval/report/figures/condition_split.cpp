// Figure 10c: which experts see tokens of passes with the condition, without it, or both.

#include <algorithm>
#include <cmath>
#include <map>

#include "core/base/text.h"
#include "core/io/json.h"
#include "eval/report/figures/figures.h"
#include "eval/report/layer_grid.h"
#include "eval/report/noise_passes.h"
#include "eval/report/number.h"
#include "eval/report/palette.h"
#include "eval/report/scales.h"

namespace switchyard {
namespace {

constexpr int64_t kDraws = 200;
constexpr double kOnly = 0.99, kUsed = 0.1;  // of its tokens; of an equal share

struct LayerSplit {
  const OverlayLayer* layer;
  PairedShares shares;  // first: with condition, second: without
  double k;             // slots of a token

  /// Part of an expert's tokens that came without condition, were there as many of both;
  /// undefined for an expert hardly used.
  double without(size_t e) const {
    const double sum = shares.first[e] + shares.second[e];
    const auto experts = static_cast<double>(shares.first.size());
    return sum / 2 * experts < kUsed ? kUndefined : shares.second[e] / sum;
  }
};

std::vector<LayerSplit> splits_of(const NoisePasses& passes) {
  const auto pairs = condition_pairs(passes.trace, passes.levels);
  std::vector<LayerSplit> out;
  if (pairs.empty()) return out;
  for (const OverlayLayer& layer : passes.layers) {
    const TraceSite& site = passes.trace.sites[layer.site];
    out.push_back({&layer,
                   paired_shares(passes.counts[layer.site], pairs, kDraws,
                                 RandomStream(0, "report/condition")),
                   static_cast<double>(site.slot.size()) /
                       static_cast<double>(std::max<int64_t>(site.tokens(), 1))});
  }
  return out;
}

enum class Part { With, Without, Mixture };

class Panels {
 public:
  Panels(const PageLayers& page, const std::vector<LayerSplit>& splits)
      : page_(page), splits_(splits), grids_(page, 3) {}

  std::vector<Svg> draw() const {
    const double experts = static_cast<double>(splits_.back().shares.first.size());
    return {grids_.draw(grid(Part::With)), grids_.draw(grid(Part::Without)),
            share_scale(LayerGrids::kLabel, experts, splits_.back().k),
            grids_.draw(grid(Part::Mixture)),
            diverging_scale(LayerGrids::kLabel, "an expert's tokens without condition",
                            {"0 %", "50 %", "100 %"})};
  }

 private:
  LayerGrid grid(Part part) const {
    LayerGrid out;
    out.name = part == Part::With      ? "with condition"
               : part == Part::Without ? "without condition"
                                       : "mixture";
    out.state = part == Part::Mixture ? "% without condition" : "share";
    out.rows.assign(page_.names.size(), std::vector<GridCell>(grids_.tracks()));
    for (const LayerSplit& split : splits_) {
      auto& row = out.rows[static_cast<size_t>(split.layer->index)];
      for (size_t t = 0; t < row.size(); ++t)
        if (const int64_t e = page_.tracks[static_cast<size_t>(split.layer->index)][t]; e >= 0)
          row[t] = cell(split, static_cast<size_t>(e), part);
    }
    return out;
  }

  GridCell cell(const LayerSplit& split, size_t e, Part part) const {
    const double with = split.shares.first[e], without = split.shares.second[e];
    const double mixture = split.without(e);
    GridCell out;
    out.expert = expert_address(split.layer->index, static_cast<int64_t>(e));
    out.tip = cat("layer ", split.layer->index, ", ", expert_name(static_cast<int64_t>(e)), ": ",
                  percent_text(with, 1), " with condition, ", percent_text(without, 1), " without");
    if (part == Part::Mixture) {
      out.classes = diverging_class(mixture - 0.5, 0.5);
      out.text = fixed_text(100 * mixture, 0);
      out.tip += defined(mixture)
                     ? cat("; ", percent_text(mixture), " of its tokens without condition")
                     : std::string("; hardly used");
      return out;
    }
    const double share = part == Part::With ? with : without;
    out.classes = share_class(share, static_cast<double>(split.shares.first.size()), split.k);
    out.text = fixed_text(100 * share, 0);
    return out;
  }

  const PageLayers& page_;
  const std::vector<LayerSplit>& splits_;
  LayerGrids grids_;
};

/// Layers in which each expert sees only tokens without condition.
std::map<int64_t, std::vector<std::string>> only_without(const std::vector<LayerSplit>& splits) {
  std::map<int64_t, std::vector<std::string>> out;
  for (const LayerSplit& split : splits)
    for (size_t e = 0; e < split.shares.first.size(); ++e)
      if (split.without(e) >= kOnly)
        out[static_cast<int64_t>(e)].push_back(to_text(split.layer->index));
  return out;
}

std::string most_one_sided(const std::vector<LayerSplit>& splits) {
  const LayerSplit* most = nullptr;
  size_t expert = 0;
  for (const LayerSplit& split : splits)
    for (size_t e = 0; e < split.shares.first.size(); ++e)
      if (defined(split.without(e)) &&
          (most == nullptr || split.without(e) > most->without(expert)))
        most = &split, expert = e;
  if (most == nullptr) return "";
  return cat("No expert is kept for passes without condition; closest to it is ",
             expert_name(static_cast<int64_t>(expert)), " of layer ", most->layer->index, ", ",
             percent_text(most->without(expert)), " of whose tokens come without.");
}

std::string finding(const std::vector<LayerSplit>& splits) {
  std::vector<std::string> parts;
  for (const auto& [e, layers] : only_without(splits))
    parts.push_back(cat(expert_name(e), layers.size() == splits.size()
                                            ? std::string(" of every layer")
                                            : cat(layers.size() == 1 ? " of layer " : " of layers ",
                                                  listed(layers))));
  std::string out = parts.empty() ? most_one_sided(splits)
                                  : cat("Only passes without condition go to ", listed(parts), ".");
  int64_t beyond = 0;
  for (const LayerSplit& split : splits) beyond += split.shares.js > split.shares.null95;
  return out + cat(" In ", beyond, " of ", splits.size(),
                   " layers the shares with and without condition differ by more than chance.");
}

std::string csv_of(const std::vector<LayerSplit>& splits) {
  Csv csv("layer,expert,track,share_with,share_without,without_of_its_tokens,js,js_null95,js_p");
  for (const LayerSplit& split : splits)
    for (size_t e = 0; e < split.shares.first.size(); ++e)
      csv.cell(split.layer->index)
          .cell(static_cast<int64_t>(e))
          .cell(split.layer->track_of(static_cast<int64_t>(e)))
          .cell(split.shares.first[e])
          .cell(split.shares.second[e])
          .cell(split.without(e))
          .cell(split.shares.js)
          .cell(split.shares.null95)
          .cell(split.shares.p)
          .end();
  return csv.text();
}

Json json_of(const std::vector<LayerSplit>& splits) {
  Json out;
  for (const char* key : {"layer", "share_with", "share_without", "js", "js_null95", "js_p"})
    out[key] = Json::array();
  for (const LayerSplit& split : splits) {
    out["layer"].push_back(split.layer->index);
    out["share_with"].push_back(split.shares.first);
    out["share_without"].push_back(split.shares.second);
    out["js"].push_back(split.shares.js);
    out["js_null95"].push_back(split.shares.null95);
    out["js_p"].push_back(split.shares.p);
  }
  out["only_without"] = Json::array();
  for (const LayerSplit& split : splits)
    for (size_t e = 0; e < split.shares.first.size(); ++e)
      if (split.without(e) >= kOnly) out["only_without"].push_back({split.layer->index, e});
  return out;
}

}  // namespace

Figure condition_split_figure(const ReportData& data) {
  Figure f;
  f.slug = "condition-split", f.number = "10c", f.title = "Experts with and without condition";
  f.section = "routing", f.span = 12, f.unit = "share";
  f.reading =
      "Guidance runs the network with the condition and without it. The first two panels share one "
      "scale; in the third an orange expert sees tokens without condition, a blue one tokens with "
      "it.";
  f.definition = cat(
      "Share of assignments over the passes of the same pictures at the same noise levels, before "
      "capacity. Only: at least 99 % of an expert's tokens. An expert under a tenth of its equal "
      "share in the mean of both is not judged. Chance: 95th percentile of the JS divergence with "
      "the two passes swapped at random, all passes of a picture together, ",
      kDraws, " draws.");
  const auto passes = noise_passes(data);
  const auto splits = passes ? splits_of(*passes) : std::vector<LayerSplit>();
  if (splits.empty()) {
    f.empty =
        "No pass without condition was traced: they are made by `switchyard sample` with guidance.";
    f.how = sample_commands(data);
    return f;
  }
  f.finding = finding(splits);
  f.sample = sample_of(*passes, passes->kinds.without);
  f.views.push_back({"all", "", Panels(data.layers, splits).draw(), -1, ""});
  f.csv = csv_of(splits);
  f.data = json_of(splits).dump();
  return f;
}

}  // namespace switchyard
