// Figures 11b and 11c: patches of pictures in the colour of their first-choice expert.

#include <algorithm>

#include "core/base/text.h"
#include "core/io/json.h"
#include "eval/report/figures/figures.h"
#include "eval/report/number.h"
#include "eval/report/picture_overlay.h"

namespace switchyard {
namespace {

constexpr size_t kMostBytes = 1'500'000;  // of all layers' panels

constexpr char kDefinition[] =
    "First choice of the router for each patch, over the picture in grey. At most six pictures, "
    "the domains in turn, unseen ones first; inside the page they have at most 64 pixels a side. "
    "The CSV has every sample and layer.";

std::string top_experts(const PictureOverlay& overlay) {
  const OverlayLayer& layer = overlay.reference();
  std::vector<std::string> parts;
  for (const auto& passes : overlay.pictures()) {
    const PictureSample& s = *passes.back();
    const Indices n = layer.counts(s.expert[layer.site]);
    const auto top = std::max_element(n.begin(), n.end() - 1) - n.begin();
    const auto all = static_cast<double>(std::max<size_t>(s.grid.cell.size(), 1));
    parts.push_back(cat(s.domain, " ", expert_name(top), " (",
                        percent_text(static_cast<double>(n[static_cast<size_t>(top)]) / all), ")"));
  }
  return cat("Most frequent first choice at layer ", layer.index, ": ", listed(parts),
             "; an equal share is ", percent_text(1.0 / static_cast<double>(layer.track.size())),
             ".");
}

std::string finding(const PictureOverlay& overlay) {
  const OverlayLayer& layer = overlay.reference();
  const KeptShare share = kept_share(overlay.pictures(), layer.site);
  if (!defined(share.kept)) return top_experts(overlay);
  return cat("At layer ", layer.index, " ", percent_text(share.kept),
             " of these patches have the same first choice at the noisiest and at the cleanest "
             "level; shuffled within their picture ",
             percent_text(share.chance), " would.");
}

FigureView view(const PictureOverlay& overlay, const OverlayLayer& layer, const std::string& slug) {
  FigureView out{cat("layer", layer.index), "", {}, layer.index, ""};
  for (const auto& passes : overlay.pictures())
    out.panels.push_back(
        overlay.panel(passes, layer, cat(slug, "-", layer.index, "-", out.panels.size())));
  out.legend.push_back(expert_legend(layer));
  return out;
}

void add_views(Figure& f, const PictureOverlay& overlay) {
  f.default_layer = overlay.reference().index;
  f.views.push_back(view(overlay, overlay.reference(), f.slug));
  size_t bytes = 0;
  for (const Svg& panel : f.views.front().panels) bytes += panel.body().size();
  if (bytes * overlay.layers().size() > kMostBytes) {
    f.views.front().layer = -1;
    f.views.front().note = cat("Pictures of layer ", overlay.reference().index,
                               " only: those of every layer would make the page too large.");
    return;
  }
  for (const OverlayLayer& layer : overlay.layers())
    if (layer.index != f.default_layer) f.views.push_back(view(overlay, layer, f.slug));
  std::sort(f.views.begin(), f.views.end(),
            [](const auto& a, const auto& b) { return a.layer < b.layer; });
}

std::string csv_of(const PictureOverlay& overlay) {
  Csv csv("layer,sample,domain,seen,noise_level,expert,patches");
  for (const OverlayLayer& layer : overlay.layers())
    for (const PictureSample& s : overlay.samples()) {
      const Indices n = layer.counts(s.expert[layer.site]);
      for (size_t e = 0; e < n.size(); ++e) {
        const bool none = e == layer.track.size();
        if (none && n[e] == 0) continue;
        csv.cell(layer.index)
            .cell(s.uri)
            .cell(s.domain)
            .cell(static_cast<int64_t>(overlay.seen(s)))
            .cell(s.time)
            .cell(none ? int64_t{-1} : static_cast<int64_t>(e))
            .cell(n[e])
            .end();
      }
    }
  return csv.text();
}

Json json_of(const PictureOverlay& overlay) {
  Json samples = Json::array();
  for (const PictureSample& s : overlay.samples()) {
    Json patches = Json::array();
    for (const OverlayLayer& layer : overlay.layers())
      patches.push_back(layer.counts(s.expert[layer.site]));
    samples.push_back({{"uri", s.uri},
                       {"domain", s.domain},
                       {"seen", overlay.seen(s)},
                       {"group", s.group},
                       {"why", s.why},
                       {"noise_level", s.time},
                       {"patches_by_expert", patches}});
  }
  const KeptShare share = kept_share(overlay.pictures(), overlay.reference().site);
  return {{"selection", overlay.selection()},
          {"layer", overlay.reference().index},
          {"kept", share.kept},
          {"kept_by_chance", share.chance},
          {"samples", samples}};
}

/// False if there is nothing to draw.
bool fill(Figure& f, const ReportData& data, PictureSamples samples) {
  const PictureOverlay overlay(data, std::move(samples));
  if (overlay.empty()) return false;
  f.finding = finding(overlay);
  f.sample = cat(overlay.pictures().size(),
                 overlay.pictures().size() == 1 ? " picture drawn; " : " pictures drawn; ",
                 overlay.selection());
  add_views(f, overlay);
  f.csv = csv_of(overlay);
  f.data = json_of(overlay).dump();
  return true;
}

Figure head(const std::string& slug, const std::string& number, const std::string& title) {
  Figure f;
  f.slug = slug, f.number = number, f.title = title;
  f.section = "look", f.span = 12, f.unit = "patches";
  f.definition = kDefinition;
  return f;
}

}  // namespace

Figure overlay_images_figure(const ReportData& data) {
  Figure f = head("overlay-images", "11a", "Test pictures, patches coloured by expert");
  f.reading =
      "Each picture beside its patches in the colour of their first-choice expert, at every noise "
      "level it was evaluated at. Follows the layer slider.";
  if (data.samples && fill(f, data, read_picture_samples(*data.samples))) return f;
  f.empty = "No sample was kept; add `trace.samples=4`.";
  f.how = cat("switchyard eval ", data.shown.folder.string(),
              " trace.enabled=true trace.samples=4\nswitchyard report ", data.folder.string());
  return f;
}

Figure overlay_denoising_figure(const ReportData& data) {
  Figure f = head("overlay-denoising", "11c", "Made pictures, patches coloured by expert");
  f.reading =
      "Left the finished picture; then its patches while it was made, from noise to clean. Follows "
      "the layer slider.";
  f.definition += " Passes with their condition.";
  if (data.sampling && fill(f, data, made_picture_samples(*data.sampling))) return f;
  f.empty = "No pass of the sampler was traced.";
  f.how = sample_commands(data);
  return f;
}

}  // namespace switchyard
