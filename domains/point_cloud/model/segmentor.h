#pragma once

#include "domains/point_cloud/model/ptv3.h"

namespace switchyard {

/// Backbone and one linear head: `backbone.*`, `seg_head.{weight, bias}`.
class PointSegmentor : public Module {
 public:
  PointSegmentor(const Ptv3Params& params, int64_t classes);
  /// Logits [N, classes] in input order.
  at::Tensor forward(const PointInput& input, ForwardContext& context, const PointHooks& hooks = {});

 private:
  Ptv3& backbone_;
  Linear& head_;
};

/// Builds what `node` ({type: ptv3, ...}) names. Errors: unknown type, in_channels that differ from
/// what the task's voxels carry.
std::unique_ptr<PointSegmentor> make_segmentor(const ConfigNode& node, int64_t channels, int64_t classes);

}  // namespace switchyard
