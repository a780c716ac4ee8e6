#pragma once
// A dataset of point clouds under a list of transforms (transforms/transform.h).

#include <memory>

#include "datasets/point_cloud/transforms/transform.h"

namespace switchyard {

struct TransformedParams {
  ConfigNode dataset;
  std::vector<std::string> splits;
  std::vector<ConfigNode> transforms, otherwise;
  static void declare(Fields<TransformedParams>& f);
};

/// Samples of the chosen splits pass through `transforms`, those of other splits through
/// `otherwise`, in order. Transform i draws from its own stream of the sample's draw, so that a
/// change of one leaves the draws of the others. Colors become f32, still 0 to 255.
class Transformed : public Dataset {
 public:
  /// `params.dataset` is not read: `inner` is that dataset. Errors: a split that does not occur, an
  /// unknown transform or parameter.
  Transformed(std::shared_ptr<const Dataset> inner, const TransformedParams& params);

  int64_t size() const override { return inner_->size(); }
  SampleInfo sample_info(int64_t index) const override { return inner_->sample_info(index); }
  Sample get(int64_t index, const Draw& draw) const override;
  const DatasetInfo& info() const override { return info_; }

 private:
  using Pipeline = std::vector<std::unique_ptr<const PointTransform>>;
  Pipeline make_pipeline(const std::vector<ConfigNode>& nodes, const std::string& what);

  std::shared_ptr<const Dataset> inner_;
  std::vector<std::string> splits_;
  Pipeline transforms_, otherwise_;
  DatasetInfo info_;
};

}  // namespace switchyard
