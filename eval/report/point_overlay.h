#pragma once
// Samples of figure 11 and the routing that colours them.

#include <map>
#include <vector>

#include "eval/report/point_view.h"
#include "eval/report/report_data.h"

namespace switchyard {

class PointOverlay {
 public:
  /// Adds to the kept samples the two traced sequences in which the expert tells most and least
  /// about the class at the reference layer, so marked.
  /// `data` has routing.
  PointOverlay(const ReportData& data, PointSamples file);

  bool empty() const { return layers_.empty() || samples_.empty(); }
  const std::string& selection() const { return selection_; }
  /// Unseen domains first; within a domain as kept.
  const std::vector<PointSample>& samples() const { return samples_; }
  /// The first kept sample of each domain: pictures are never chosen by what they show.
  std::vector<size_t> one_per_domain() const;
  const std::vector<OverlayLayer>& layers() const { return layers_; }
  /// That of the report, else the last.
  const OverlayLayer& reference() const { return reference_of(layers_); }

  bool seen(const PointSample& sample) const;
  /// Place of the domain in the page's order, -1 unknown.
  int64_t place(const PointSample& sample) const { return r_.place_of(sample.domain); }
  /// [N] track of the first choice, -1 none.
  Indices tracks(const PointSample& sample, const OverlayLayer& layer) const;
  /// Points of each expert; the last entry counts points without one.
  Indices counts(const PointSample& sample, const OverlayLayer& layer) const {
    return layer.counts(sample.expert[layer.site]);
  }

 private:
  void add_extremes(const std::vector<std::string>& sites);
  void add_extreme(int64_t sequence, const std::vector<std::string>& sites, const std::string& why);

  const Routing& r_;
  std::string selection_;
  std::vector<OverlayLayer> layers_;
  std::vector<PointSample> samples_;
};

}  // namespace switchyard
