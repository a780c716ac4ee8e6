#pragma once

#include "domains/point_cloud/model/ptv3.h"

namespace switchyard {

/// Backbone and one linear head over all classes. Published tensors: backbone.*,
/// seg_head.{weight,bias}.
class PointSegmentor : public Module {
 public:
  /// Routing sites are named without the "backbone." prefix. Errors: those of Ptv3, no class.
  PointSegmentor(const Ptv3Params& params, int64_t classes);
  /// [N, classes]. Errors: an encoder without decoder (see Ptv3Params).
  at::Tensor forward(const PointInput& input, ForwardContext& context,
                     const PointHooks& hooks = {});

  Ptv3& backbone() { return *backbone_; }

 private:
  Ptv3* backbone_;
  Linear* head_;
};

}  // namespace switchyard
