#include "eval/metrics/features.h"

#include <ATen/ops/isfinite.h>

#include "core/base/error.h"

namespace switchyard {

at::Tensor feature_rows(const at::Tensor& features_ND, const std::string& where, int64_t least) {
  check(features_ND.dim() == 2 && features_ND.size(1) > 0, where, "features: got shape ",
        to_text(features_ND.sizes().vec()), ", expected [N, D]");
  check(features_ND.size(0) >= least, where, "too few samples: got ", features_ND.size(0),
        ", expected at least ", least);
  const int64_t bad = (~at::isfinite(features_ND)).sum().item<int64_t>();
  check(bad == 0, where, "features: got ", bad, " values that are not finite, expected none");
  return features_ND.to(at::kDouble).contiguous();
}

void check_same_width(const at::Tensor& a_ND, const at::Tensor& b_MD, const std::string& where) {
  check(a_ND.size(1) == b_MD.size(1), where, "features of two widths: got ", a_ND.size(1), " and ",
        b_MD.size(1), ", expected those of one extractor");
}

at::Tensor spatial_rows(const at::Tensor& maps_NChw, int64_t channels) {
  check(maps_NChw.dim() == 4, "sfid", "spatial features: got shape ",
        to_text(maps_NChw.sizes().vec()), ", expected [N, C, h, w]");
  check(maps_NChw.size(1) >= channels, "sfid", "spatial features: got ", maps_NChw.size(1),
        " channels, expected at least ", channels);
  return maps_NChw.slice(1, 0, channels).permute({0, 2, 3, 1}).flatten(1);
}

}  // namespace switchyard
