#include "domains/point_cloud/model/segmentor.h"

namespace switchyard {

PointSegmentor::PointSegmentor(const Ptv3Params& params, int64_t classes) {
  check(classes >= 1, "segmentor", "classes: got ", classes, ", expected at least 1");
  check(!params.dec_depths.empty() || params.enc_depths.size() == 1, "model.dec_depths",
        "got an empty list, expected a decoder: labels are per input voxel");
  backbone_ = &emplace_child<Ptv3>("backbone", params);
  head_ = &emplace_child<Linear>("seg_head", params.out_channels(), classes);
}

at::Tensor PointSegmentor::forward(const PointInput& input, ForwardContext& context,
                                   const PointHooks& hooks) {
  return head_->forward(backbone_->forward(input, context, hooks).feat_NC);
}

}  // namespace switchyard
