// Figure 11: points of kept samples in the colour of their first-choice expert.

#include <algorithm>

#include "core/base/text.h"
#include "core/io/json.h"
#include "eval/report/figures/figures.h"
#include "eval/report/number.h"
#include "eval/report/palette.h"
#include "eval/report/point_overlay.h"

namespace switchyard {
namespace {

constexpr int64_t kColumns = 200, kRows = 150, kPixels = 2;
constexpr double kCaption = 34;
constexpr size_t kMostPictures = 6, kMostFrames = 40;

using Layer = OverlayLayer;

class Drawing {
 public:
  explicit Drawing(const PointOverlay& overlay) : overlay_(overlay) {
    for (size_t i : overlay.one_per_domain())
      if (pictures_.size() < kMostPictures)
        pictures_.push_back(
            {&overlay.samples()[i], view_points(overlay.samples()[i], kColumns, kRows)});
  }

  void fill(Figure& f) const {
    f.sample = cat(pictures_.size(), " of ", overlay_.samples().size(), " samples drawn; ",
                   overlay_.selection());
    f.finding = finding();
    add_views(f);
    add_clouds(f);
    add_files(f);
    f.csv = csv();
    f.data = json().dump();
  }

 private:
  struct Picture {
    const PointSample* sample;
    PointView view;
  };

  std::string finding() const {
    const Layer& layer = overlay_.reference();
    std::vector<std::string> parts;
    for (const auto& picture : pictures_) {
      const Indices n = overlay_.counts(*picture.sample, layer);
      const auto top = std::max_element(n.begin(), n.end() - 1) - n.begin();
      const PointSample& s = *picture.sample;
      const double all = static_cast<double>(std::max<int64_t>(s.points(), 1));
      parts.push_back(cat(s.domain, " ", expert_name(top), " (",
                          percent_text(static_cast<double>(n[static_cast<size_t>(top)]) / all),
                          ")"));
    }
    return cat("Most frequent first choice at layer ", layer.index, ": ", listed(parts),
               "; an equal share is ", percent_text(1.0 / static_cast<double>(layer.track.size())),
               ".");
  }

  std::string state(const PointSample& s) const {
    return cat(overlay_.seen(s) ? "seen" : "never seen", " · ", short_name(s.group));
  }

  Svg panel(const Picture& picture, const Layer& layer) const {
    const PointSample& s = *picture.sample;
    Svg svg(kColumns * kPixels, kCaption + kRows * kPixels);
    svg.of_domain(overlay_.place(s));
    svg.text(0, 12, short_name(s.domain), "b");
    svg.text(0, 26, cat(state(s), " · ", count_text(s.points()), " points"),
             overlay_.seen(s) ? "s g" : "s u");
    draw_points(svg, picture.view, overlay_.tracks(s, layer), 0, kCaption, kPixels);
    return svg;
  }

  FigureView view(const Layer& layer) const {
    FigureView out{cat("layer", layer.index), "", {}, layer.index, ""};
    for (const auto& picture : pictures_) out.panels.push_back(panel(picture, layer));
    out.legend.push_back(expert_legend(layer));
    return out;
  }

  void add_views(Figure& f) const {
    if (overlay_.layers().size() * pictures_.size() <= kMostFrames) {
      f.default_layer = overlay_.reference().index;
      for (const Layer& layer : overlay_.layers()) f.views.push_back(view(layer));
      return;
    }
    f.views.push_back(view(overlay_.reference()));
    f.views.back().layer = -1;
    f.views.back().note = cat("Pictures of layer ", overlay_.reference().index,
                              " only: those of every layer would make the page too large. The "
                              "CSV has all layers.");
  }

  Cloud cloud(const PointSample& s) const {
    std::map<int64_t, Indices> tracks;
    for (const Layer& layer : overlay_.layers()) tracks[layer.index] = overlay_.tracks(s, layer);
    Cloud out = pack_cloud(s, tracks);
    out.domain = overlay_.place(s);
    out.name = cat(s.domain, " · ", state(s), " · ", s.why);
    out.detail = out.points < s.points() ? cat(count_text(out.points), " of ") : "";
    out.detail += cat(count_text(s.points()), " points");
    return out;
  }

  /// One per domain first: what a small page drops comes last.
  void add_clouds(Figure& f) const {
    for (const auto& picture : pictures_) f.clouds.push_back(cloud(*picture.sample));
    for (const PointSample& s : overlay_.samples())
      if (std::none_of(pictures_.begin(), pictures_.end(),
                       [&](const Picture& p) { return p.sample == &s; }))
        f.clouds.push_back(cloud(s));
    f.cloud_picture = cat("0 ", kCaption, " ", kColumns * kPixels, " ", kRows * kPixels);
  }

  void add_files(Figure& f) const {
    const Layer& layer = overlay_.reference();
    std::vector<std::string> links;
    for (const PointSample& s : overlay_.samples()) {
      f.files.emplace_back(cat(f.slug, "-", f.files.size(), ".ply"),
                           points_ply(s, s.expert[layer.site], overlay_.tracks(s, layer)));
      links.push_back(
          cat("<a href=\"fig/", f.files.back().first, "\">", escape_xml(s.uri), "</a>"));
    }
    f.html = cat("<p class=\"note\">Point clouds (PLY, layer ", layer.index,
                 "): ", join(links, ", "), "</p>");
  }

  std::string csv() const {
    Csv out("layer,sample,domain,seen,expert,points");
    for (const Layer& layer : overlay_.layers())
      for (size_t i = 0; i < overlay_.samples().size(); ++i) {
        const PointSample& s = overlay_.samples()[i];
        const Indices n = overlay_.counts(s, layer);
        for (size_t e = 0; e < n.size(); ++e) {
          const bool none = e == layer.track.size();
          if (none && n[e] == 0) continue;
          out.cell(layer.index)
              .cell(static_cast<int64_t>(i))
              .cell(s.domain)
              .cell(static_cast<int64_t>(overlay_.seen(s)))
              .cell(none ? int64_t{-1} : static_cast<int64_t>(e))
              .cell(n[e])
              .end();
        }
      }
    return out.text();
  }

  Json json() const {
    Json samples = Json::array();
    for (const PointSample& s : overlay_.samples()) {
      Json points = Json::array();
      for (const Layer& layer : overlay_.layers()) points.push_back(overlay_.counts(s, layer));
      samples.push_back({{"sample", samples.size()},
                         {"uri", s.uri},
                         {"domain", s.domain},
                         {"seen", overlay_.seen(s)},
                         {"group", s.group},
                         {"why", s.why},
                         {"points", s.points()},
                         {"points_by_expert", points}});
    }
    return {{"selection", overlay_.selection()},
            {"layer", overlay_.reference().index},
            {"samples", samples}};
  }

  const PointOverlay& overlay_;
  std::vector<Picture> pictures_;
};

}  // namespace

Figure overlay_points_figure(const ReportData& data) {
  Figure f;
  f.slug = "overlay-points", f.number = "11", f.title = "Points coloured by expert",
  f.section = "look", f.span = 12, f.unit = "points";
  f.reading =
      "Each scene from above one corner, a point in the colour of its first-choice expert. Follows "
      "the layer slider.";
  f.definition =
      "First choice of the router for each point; at coarser layers that of the token the point "
      "belongs to. Parallel view; the highest 15 % of the points are cut away in the picture, and "
      "the outermost 0.5 % on each side may leave it. CSV and PLY hold all points. Pictures: one "
      "sample per domain, at most six; the turnable view has every sample, at most 150 000 points "
      "of each.";
  if (data.routing && data.samples) {
    const PointOverlay overlay(data, read_point_samples(*data.samples));
    if (!overlay.empty()) {
      Drawing(overlay).fill(f);
      return f;
    }
  }
  f.empty = "No sample was kept; add `trace.samples=4`.";
  f.how = cat("switchyard eval ", data.shown.folder.string(),
              " trace.enabled=true trace.samples=4\nswitchyard report ", data.folder.string());
  return f;
}

}  // namespace switchyard
