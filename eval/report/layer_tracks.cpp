#include "eval/report/layer_tracks.h"

#include <algorithm>

namespace switchyard {

PageLayers page_layers(const TraceView& trace, const ExpertTracks& tracks, int64_t reference) {
  PageLayers out;
  out.tracks = tracks.tracks;
  out.reference = reference;
  for (const TraceSite& site : trace.sites) {
    const auto layer = static_cast<int64_t>(out.names.size());
    out.track_of.push_back(tracks.track_of(layer, site.experts));
    out.names.push_back(site.name);
  }
  return out;
}

PageLayers own_layers(const TraceView& trace) {
  return page_layers(trace, expert_tracks(trace, {}), static_cast<int64_t>(trace.sites.size()) - 1);
}

Indices OverlayLayer::counts(const Indices& expert) const {
  Indices out(track.size() + 1);
  for (int64_t e : expert) ++out[e < 0 ? track.size() : std::min(size_t(e), track.size())];
  return out;
}

std::vector<OverlayLayer> overlay_layers(const PageLayers& page,
                                         const std::vector<std::string>& sites) {
  std::vector<OverlayLayer> out;
  for (size_t l = 0; l < page.names.size(); ++l) {
    const auto found = std::find(sites.begin(), sites.end(), page.names[l]);
    if (found == sites.end()) continue;
    const auto index = static_cast<int64_t>(l);
    out.push_back({index, static_cast<size_t>(found - sites.begin()), page.track_of[l],
                   index == page.reference});
  }
  return out;
}

const OverlayLayer& reference_of(const std::vector<OverlayLayer>& layers) {
  const auto found =
      std::find_if(layers.begin(), layers.end(), [](const auto& l) { return l.first_shown; });
  return found == layers.end() ? layers.back() : *found;
}

}  // namespace switchyard
