// Figure 10b: share of each expert over the noise level.

#include <algorithm>
#include <cmath>

#include "core/base/text.h"
#include "core/io/json.h"
#include "eval/report/chart.h"
#include "eval/report/figures/figures.h"
#include "eval/report/noise_passes.h"
#include "eval/report/number.h"
#include "eval/report/palette.h"

namespace switchyard {
namespace {

constexpr int64_t kDraws = 200;
constexpr int64_t kColours = 16;
constexpr double kWidth = 172, kHeight = 118, kHead = 32;

struct LayerShares {
  const OverlayLayer* layer;
  Table with, without;  // [level][expert]
  PairedShares ends;    // of passes with condition, noisiest and cleanest
};

std::vector<LayerShares> shares_of(const NoisePasses& passes) {
  std::vector<LayerShares> out;
  const auto pairs = end_pairs(passes.trace, passes.levels, passes.kinds.with);
  for (const OverlayLayer& layer : passes.layers) {
    const SequenceCounts& counts = passes.counts[layer.site];
    out.push_back({&layer, share_by_level(counts, passes.levels, passes.kinds.with),
                   share_by_level(counts, passes.levels, passes.kinds.without),
                   paired_shares(counts, pairs, kDraws, RandomStream(0, "report/noise"))});
  }
  return out;
}

/// Experts from top to bottom; those without a colour of their own in one list at the end.
std::vector<Indices> bands_of(const OverlayLayer& layer) {
  std::vector<Indices> out(kColours + 1);
  for (size_t e = 0; e < layer.track.size(); ++e) {
    const int64_t t = layer.track[e];
    out[static_cast<size_t>(t < 0 || t >= kColours ? kColours : t)].push_back(int64_t(e));
  }
  return out;
}

class Bands {
 public:
  Bands(const OverlayLayer& layer, const Row& time, const Table& share, const std::string& title)
      : layer_(layer), time_(time), share_(share), chart_(axes(title)) {}

  Svg draw() {
    Row above(time_.size(), 1), below = above;
    const auto bands = bands_of(layer_);
    for (size_t b = 0; b < bands.size(); ++b) {
      if (bands[b].empty()) continue;
      for (size_t i = 0; i < time_.size(); ++i)
        for (int64_t e : bands[b]) below[i] -= share_[i][static_cast<size_t>(e)];
      band(bands[b], b, below, above);
      above = below;
    }
    for (double y : {0.0, 0.5, 1.0}) chart_.y_tick(y, fixed_text(100 * y, 0));
    chart_.x_ticks({0, 0.5, 1}, {"1", "0.5", "0"});
    return chart_.svg();
  }

 private:
  static ChartAxes axes(const std::string& title) {
    ChartAxes out;
    out.width = kWidth, out.height = kHeight;
    out.left = 28, out.right = 26, out.top = 18, out.bottom = 20;
    out.y_title = title;
    return out;
  }

  double x(size_t i) const { return chart_.x(1 - time_[i]); }

  std::string tip(const Indices& experts, const std::string& name) const {
    double noisy = 0, clean = 0;
    for (int64_t e : experts) {
      noisy += share_.front()[static_cast<size_t>(e)];
      clean += share_.back()[static_cast<size_t>(e)];
    }
    return cat("layer ", layer_.index, ", ", name, ": ", percent_text(noisy, 1), " at noise level ",
               fixed_text(time_.front(), 2), ", ", percent_text(clean, 1), " at ",
               fixed_text(time_.back(), 2));
  }

  void band(const Indices& experts, size_t number, const Row& below, const Row& above) {
    const bool named = number < static_cast<size_t>(kColours);
    const std::string name = named ? expert_name(experts.front()) : "other experts";
    Row px, lo, hi;
    for (size_t i = 0; i < time_.size(); ++i) {
      px.push_back(x(i));
      lo.push_back(chart_.y(below[i])), hi.push_back(chart_.y(above[i]));
    }
    Svg& svg = chart_.svg();
    if (named) svg.about(expert_address(layer_.index, experts.front()));
    svg.path(switchyard::band(px, lo, hi), expert_class(named ? int64_t(number) : -1),
             tip(experts, name));
    if (named && lo.back() - hi.back() >= 9)
      svg.text(px.back() + 4, (lo.back() + hi.back()) / 2 + 4, name, "s");
    svg.about("");
  }

  const OverlayLayer& layer_;
  const Row& time_;
  const Table& share_;
  Chart chart_;
};

Svg panel(const NoisePasses& passes, const LayerShares& shares) {
  const bool both = !passes.kinds.without.empty();
  Svg svg(kWidth, kHead + kHeight * (both ? 2 : 1) + 14);
  svg.text(0, 12, cat("layer ", shares.layer->index), "b");
  if (defined(shares.ends.js))
    svg.text(0, 26,
             cat("JS ", information_text(shares.ends.js), " bit, chance ≤ ",
                 information_text(shares.ends.null95)),
             "s g");
  const Row& time = passes.levels.time;
  svg.place(
      Bands(*shares.layer, time, shares.with, both ? "with condition, %" : "% of choices").draw(),
      0, kHead);
  if (both)
    svg.place(Bands(*shares.layer, time, shares.without, "without condition, %").draw(), 0,
              kHead + kHeight);
  svg.text(kWidth / 2, svg.height() - 2, "noise level", "s g", "middle");
  return svg;
}

std::string largest_change(const NoisePasses& passes, const std::vector<LayerShares>& shares) {
  const LayerShares* most = nullptr;
  size_t expert = 0;
  double change = -1;
  for (const auto& s : shares)
    for (size_t e = 0; e < s.ends.first.size(); ++e)
      if (const double d = std::abs(s.ends.second[e] - s.ends.first[e]); d > change)
        most = &s, expert = e, change = d;
  if (most == nullptr) return "";
  return cat("From noise level ", fixed_text(passes.levels.time.front(), 2), " to ",
             fixed_text(passes.levels.time.back(), 2), " ",
             expert_name(static_cast<int64_t>(expert)), " of layer ", most->layer->index,
             " goes from ", percent_text(most->ends.first[expert]), " to ",
             percent_text(most->ends.second[expert]),
             " of the choices, the largest change of any expert.");
}

std::string beyond_chance(const std::vector<LayerShares>& shares) {
  const LayerShares* most = nullptr;
  int64_t layers = 0, beyond = 0;
  for (const auto& s : shares) {
    if (!defined(s.ends.js)) continue;
    ++layers;
    beyond += s.ends.js > s.ends.null95;
    if (most == nullptr || s.ends.js > most->ends.js) most = &s;
  }
  if (most == nullptr) return "";
  return cat(" In ", beyond, " of ", layers, layers == 1 ? " layer" : " layers",
             " the two ends differ by more than chance, at "
             "most by ",
             information_text(most->ends.js), " bit at layer ", most->layer->index, " (chance ≤ ",
             information_text(most->ends.null95), ").");
}

std::string csv_of(const NoisePasses& passes, const std::vector<LayerShares>& shares) {
  Csv csv("layer,condition,noise_level,expert,track,share");
  for (const auto& s : shares)
    for (bool with : {true, false}) {
      if (!with && passes.kinds.without.empty()) continue;
      const Table& table = with ? s.with : s.without;
      for (size_t i = 0; i < table.size(); ++i)
        for (size_t e = 0; e < table[i].size(); ++e)
          csv.cell(s.layer->index)
              .cell(std::string(with ? "with" : "without"))
              .cell(passes.levels.time[i])
              .cell(static_cast<int64_t>(e))
              .cell(s.layer->track_of(static_cast<int64_t>(e)))
              .cell(table[i][e])
              .end();
    }
  return csv.text();
}

Json json_of(const NoisePasses& passes, const std::vector<LayerShares>& shares) {
  Json out{{"made", passes.made}, {"noise_level", passes.levels.time}};
  for (const char* key : {"layer", "with", "without", "js", "null95", "p"})
    out[key] = Json::array();
  for (const auto& s : shares) {
    out["layer"].push_back(s.layer->index);
    out["with"].push_back(s.with);
    out["without"].push_back(s.without);
    out["js"].push_back(s.ends.js);
    out["null95"].push_back(s.ends.null95);
    out["p"].push_back(s.ends.p);
  }
  return out;
}

void fill(Figure& f, const NoisePasses& passes) {
  const auto shares = shares_of(passes);
  f.finding = largest_change(passes, shares) + beyond_chance(shares);
  Indices all = passes.kinds.with;
  all.insert(all.end(), passes.kinds.without.begin(), passes.kinds.without.end());
  f.sample = sample_of(passes, all);
  f.views.push_back({"all", "", {}, -1, ""});
  for (const auto& s : shares) f.views.back().panels.push_back(panel(passes, s));
  f.csv = csv_of(passes, shares);
  f.data = json_of(passes, shares).dump();
}

}  // namespace

Figure denoising_figure(const ReportData& data) {
  Figure f;
  f.slug = "denoising", f.number = "10b", f.title = "Experts from noise to picture";
  f.section = "routing", f.span = 12, f.unit = "share";
  f.reading =
      "Left pure noise, right the clean picture. A band is an expert's share of the choices at "
      "that noise level; one that widens takes over as the picture clears.";
  f.definition = cat(
      "Share of assignments: routed slots chosen, before capacity, over all pictures. JS: between "
      "the shares at the highest and the lowest noise level, passes with their condition. Chance: "
      "95th percentile with the two passes of a picture swapped at random, all pictures of a group "
      "together, ",
      kDraws, " draws. Colours of the first ", kColours, " tracks; all others are one grey band.");
  const auto passes = noise_passes(data);
  if (passes && !passes->layers.empty() && passes->levels.time.size() > 1) {
    f.definition += passes->made ? " Passes while pictures were made."
                                 : " Test pictures with noise added at fixed levels.";
    fill(f, *passes);
    return f;
  }
  f.empty = "No routing over several noise levels was recorded.";
  f.how = sample_commands(data);
  return f;
}

}  // namespace switchyard
