#include "eval/metrics/reference.h"

#include "core/base/error.h"
#include "eval/metrics/features.h"

namespace switchyard {
namespace {

constexpr char kWhere[] = "reference features";

void check_together(int64_t pooled, int64_t spatial) {
  check(spatial == 0 || spatial == pooled, kWhere, "spatial features: got those of ", spatial,
        " of ", pooled, " images, expected all or none");
}

}  // namespace

void ReferenceBuilder::update(const FeatureSet& batch) {
  check(batch.pooled.defined(), kWhere, "the extractor gives no pooled features");
  pooled_.update(batch.pooled);
  if (batch.spatial.defined()) spatial_.update(spatial_rows(batch.spatial));
  check_together(pooled_.count(), spatial_.count());
  const int64_t wanted = std::min(kept_ - rows_, batch.pooled.size(0));
  if (wanted <= 0) return;
  features_.push_back(batch.pooled.slice(0, 0, wanted).to(at::kCPU, at::kFloat));
  rows_ += wanted;
}

void ReferenceBuilder::update(const ReferenceFeatures& part) {
  pooled_.update(part.pooled);
  if (part.spatial) spatial_.update(*part.spatial);
  check_together(pooled_.count(), spatial_.count());
  if (part.features_ND.defined()) features_.push_back(part.features_ND);
}

ReferenceFeatures ReferenceBuilder::compute() const {
  ReferenceFeatures out{pooled_.compute(), {}, {}};
  if (spatial_.count() > 0) out.spatial = spatial_.compute();
  if (!features_.empty()) out.features_ND = at::cat(features_);
  return out;
}

}  // namespace switchyard
