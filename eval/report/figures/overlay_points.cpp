// Figure 11: points of kept samples in the colour of their first-choice expert.

#include <algorithm>
#include <numeric>
#include <set>

#include "core/base/text.h"
#include "core/io/json.h"
#include "eval/report/figures/figures.h"
#include "eval/report/number.h"
#include "eval/report/palette.h"
#include "eval/report/point_view.h"

namespace switchyard {
namespace {

constexpr int64_t kColumns = 200, kRows = 150, kPixels = 2;
constexpr double kCaption = 34, kEntry = 54;
constexpr size_t kMostPanels = 6, kMostFrames = 40;

/// A layer of the slider and where the samples keep it.
struct Layer {
  int64_t index;
  size_t site;
  Indices track;  ///< of each expert

  int64_t track_of(int64_t expert) const {
    const bool known = expert >= 0 && expert < static_cast<int64_t>(track.size());
    return known ? track[static_cast<size_t>(expert)] : -1;
  }
};

std::vector<Layer> traced_layers(const PointSamples& file, const Routing& r) {
  std::vector<Layer> out;
  for (int64_t l = 0; l < r.layers(); ++l) {
    const TraceSite& site = r.trace.sites[static_cast<size_t>(l)];
    const auto found = std::find(file.sites.begin(), file.sites.end(), site.name);
    if (found != file.sites.end())
      out.push_back(
          {l, static_cast<size_t>(found - file.sites.begin()), r.tracks.track_of(l, site.experts)});
  }
  return out;
}

class Overlay {
 public:
  Overlay(const Routing& routing, const PointSamples& file)
      : r_(routing), file_(file), layers_(traced_layers(file, routing)) {
    order_.resize(file.samples.size());
    std::iota(order_.begin(), order_.end(), size_t{0});
    std::stable_sort(order_.begin(), order_.end(),
                     [&](size_t a, size_t b) { return seen(a) < seen(b); });
    std::set<std::string> domains;
    for (size_t i : order_)
      if (pictures_.size() < kMostPanels && domains.insert(file.samples[i].domain).second)
        pictures_.push_back({i, view_points(file.samples[i], kColumns, kRows)});
  }

  bool empty() const { return layers_.empty() || pictures_.empty(); }

  void fill(Figure& f) const {
    f.sample = cat(pictures_.size(), " of ", file_.samples.size(), " samples, ", file_.selection);
    f.finding = finding();
    add_views(f);
    add_files(f);
    f.csv = csv();
    f.data = json().dump();
  }

 private:
  struct Picture {
    size_t sample;
    PointView view;
  };

  bool seen(size_t sample) const {
    for (const auto& d : r_.trace.domains)
      if (d.name == file_.samples[sample].domain) return d.seen;
    return true;
  }

  const Layer& reference() const {
    const auto found = std::find_if(layers_.begin(), layers_.end(),
                                    [&](const Layer& l) { return l.index == r_.reference; });
    return found == layers_.end() ? layers_.back() : *found;
  }

  Indices tracks(size_t sample, const Layer& layer) const {
    Indices out;
    for (int64_t e : file_.samples[sample].expert[layer.site]) out.push_back(layer.track_of(e));
    return out;
  }

  /// Points of each expert; the last entry counts points without one.
  Indices counts(size_t sample, const Layer& layer) const {
    Indices out(layer.track.size() + 1);
    for (int64_t e : file_.samples[sample].expert[layer.site])
      ++out[e < 0 ? layer.track.size() : std::min(static_cast<size_t>(e), layer.track.size())];
    return out;
  }

  std::string finding() const {
    const Layer& layer = reference();
    std::vector<std::string> parts;
    for (const auto& picture : pictures_) {
      const Indices n = counts(picture.sample, layer);
      const auto top = std::max_element(n.begin(), n.end() - 1) - n.begin();
      const PointSample& s = file_.samples[picture.sample];
      const double all = static_cast<double>(std::max<int64_t>(s.points(), 1));
      parts.push_back(cat(s.domain, " ", expert_name(top), " (",
                          percent_text(static_cast<double>(n[static_cast<size_t>(top)]) / all),
                          ")"));
    }
    return cat("Most frequent first choice at layer ", layer.index, ": ", listed(parts),
               "; an equal share is ", percent_text(1.0 / static_cast<double>(layer.track.size())),
               ".");
  }

  Svg legend(const Layer& layer) const {
    const size_t named = std::min<size_t>(layer.track.size(), 16);
    Svg svg(kEntry * static_cast<double>(named + 1) + 420, 20);
    for (size_t e = 0; e < layer.track.size(); ++e) {
      const int64_t t = layer.track[e];
      if (t < 0 || t >= 16) continue;
      svg.rect(kEntry * static_cast<double>(t), 4, 11, 11, expert_class(t));
      svg.text(kEntry * static_cast<double>(t) + 16, 14, expert_name(static_cast<int64_t>(e)));
    }
    svg.rect(kEntry * static_cast<double>(named), 4, 11, 11, "x");
    svg.text(
        kEntry * static_cast<double>(named) + 16, 14,
        cat("other or none; colours follow the flow, numbers are those of layer ", layer.index),
        "s g");
    return svg;
  }

  Svg panel(const Picture& picture, const Layer& layer) const {
    const PointSample& s = file_.samples[picture.sample];
    Svg svg(kColumns * kPixels, kCaption + kRows * kPixels);
    svg.text(0, 12, short_name(s.domain), "b");
    const bool unseen = !seen(picture.sample);
    svg.text(0, 26,
             cat(unseen ? "never seen" : "seen", " · ", short_name(s.group), " · ",
                 count_text(s.points()), " points"),
             unseen ? "s u" : "s g");
    draw_points(svg, picture.view, tracks(picture.sample, layer), 0, kCaption, kPixels);
    return svg;
  }

  FigureView view(const Layer& layer) const {
    FigureView out{cat("layer", layer.index), "", {}, layer.index, ""};
    for (const auto& picture : pictures_) out.panels.push_back(panel(picture, layer));
    out.panels.push_back(legend(layer));
    return out;
  }

  void add_views(Figure& f) const {
    if (layers_.size() * pictures_.size() <= kMostFrames) {
      f.default_layer = reference().index;
      for (const Layer& layer : layers_) f.views.push_back(view(layer));
      return;
    }
    f.views.push_back(view(reference()));
    f.views.back().layer = -1;
    f.views.back().note = cat("Layer ", reference().index,
                              " only: pictures of every layer would make the page too large. The "
                              "CSV has all layers.");
  }

  void add_files(Figure& f) const {
    std::vector<std::string> links;
    for (size_t i : order_) {
      const PointSample& s = file_.samples[i];
      f.files.emplace_back(cat(f.slug, "-", i, ".ply"),
                           points_ply(s, s.expert[reference().site], tracks(i, reference())));
      links.push_back(
          cat("<a href=\"fig/", f.files.back().first, "\">", escape_xml(s.uri), "</a>"));
    }
    f.html = cat("<p class=\"note\">Point clouds (PLY, layer ", reference().index,
                 "): ", join(links, ", "), "</p>");
  }

  std::string csv() const {
    Csv out("layer,sample,domain,seen,expert,points");
    for (const Layer& layer : layers_)
      for (size_t i : order_) {
        const Indices n = counts(i, layer);
        for (size_t e = 0; e < n.size(); ++e) {
          const bool none = e == layer.track.size();
          if (none && n[e] == 0) continue;
          out.cell(layer.index)
              .cell(static_cast<int64_t>(i))
              .cell(file_.samples[i].domain)
              .cell(static_cast<int64_t>(seen(i)))
              .cell(none ? int64_t{-1} : static_cast<int64_t>(e))
              .cell(n[e])
              .end();
        }
      }
    return out.text();
  }

  Json json() const {
    Json samples = Json::array();
    for (size_t i : order_) {
      const PointSample& s = file_.samples[i];
      Json points = Json::array();
      for (const Layer& layer : layers_) points.push_back(counts(i, layer));
      samples.push_back({{"sample", i},
                         {"uri", s.uri},
                         {"domain", s.domain},
                         {"seen", seen(i)},
                         {"group", s.group},
                         {"why", s.why},
                         {"points", s.points()},
                         {"points_by_expert", points}});
    }
    return {{"selection", file_.selection}, {"layer", reference().index}, {"samples", samples}};
  }

  const Routing& r_;
  const PointSamples& file_;
  std::vector<Layer> layers_;
  std::vector<size_t> order_;  ///< samples, unseen domains first
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
      "the outermost 0.5 % on each side may leave it. CSV and PLY hold all points. One sample per "
      "domain, at most six domains.";
  const PointSamples file = read_point_samples(data.shown.folder / "trace" / "samples.safetensors");
  if (data.routing) {
    const Overlay overlay(*data.routing, file);
    if (!overlay.empty()) {
      overlay.fill(f);
      return f;
    }
  }
  f.empty = "No sample was kept; add `trace.samples=4`.";
  f.how = cat("switchyard eval ", data.shown.folder.string(),
              " trace.enabled=true trace.samples=4\nswitchyard report ", data.folder.string());
  return f;
}

}  // namespace switchyard
