#pragma once
// Pictures of figure 11 beside themselves with their patches in the colours of their experts.

#include "eval/report/picture_samples.h"
#include "eval/report/report_data.h"
#include "eval/report/svg.h"

namespace switchyard {

class PictureOverlay {
 public:
  PictureOverlay(const ReportData& data, PictureSamples samples);
  PictureOverlay(const PictureOverlay&) = delete;

  bool empty() const { return layers_.empty() || pictures_.empty(); }
  const std::string& selection() const { return samples_.selection; }
  /// All samples, as kept.
  const std::vector<PictureSample>& samples() const { return samples_.samples; }
  /// At most six: the domains in turn, unseen ones first.
  const std::vector<PicturePasses>& pictures() const { return pictures_; }
  const std::vector<OverlayLayer>& layers() const { return layers_; }
  const OverlayLayer& reference() const { return reference_of(layers_); }

  bool seen(const PictureSample& sample) const { return data_.seen(sample.domain); }
  int64_t place(const PictureSample& sample) const { return data_.place_of(sample.domain); }

  /// The picture, then its patches at every noise level. `id`: unique in the page.
  Svg panel(const PicturePasses& passes, const OverlayLayer& layer, const std::string& id) const;

 private:
  void choose();

  const ReportData& data_;
  PictureSamples samples_;
  std::vector<OverlayLayer> layers_;
  std::vector<PicturePasses> pictures_;
};

/// Share of patches that have the same first choice in both passes, and the share that patches
/// shuffled within their picture would have on average.
struct KeptShare {
  double kept = kUndefined, chance = kUndefined;
};
KeptShare kept_share(const std::vector<PicturePasses>& pictures, size_t site);

}  // namespace switchyard
