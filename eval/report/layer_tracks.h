#pragma once
// The MoE layers of the page's slider and the colours of their experts.

#include "eval/analysis/tracks.h"

namespace switchyard {

struct PageLayers {
  std::vector<std::string> names;  ///< of the sites
  IndexTable tracks;               ///< [layer][track] true expert, -1 none
  IndexTable track_of;             ///< [layer][expert]
  int64_t reference = 0;           ///< shown first
};
PageLayers page_layers(const TraceView& trace, const ExpertTracks& tracks, int64_t reference);
/// Those of a trace by itself, the last one first.
PageLayers own_layers(const TraceView& trace);

/// A layer of the page that a file with the routing of some sites holds.
struct OverlayLayer {
  int64_t index;
  size_t site;       ///< row in that file
  Indices track;     ///< of each expert
  bool first_shown;  ///< by the page

  int64_t track_of(int64_t expert) const {
    const bool known = expert >= 0 && expert < static_cast<int64_t>(track.size());
    return known ? track[static_cast<size_t>(expert)] : -1;
  }
  /// Entries of each expert among first choices; the last counts those without one.
  Indices counts(const Indices& expert) const;
};
/// In the order of the page.
std::vector<OverlayLayer> overlay_layers(const PageLayers& page,
                                         const std::vector<std::string>& sites);
/// The one that the page shows first, else the last; `layers` is not empty.
const OverlayLayer& reference_of(const std::vector<OverlayLayer>& layers);

}  // namespace switchyard
