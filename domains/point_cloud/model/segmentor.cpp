#include "domains/point_cloud/model/segmentor.h"

#include "core/base/registry.h"

namespace switchyard {

PointSegmentor::PointSegmentor(const Ptv3Params& params, int64_t classes)
    : backbone_(emplace_child<Ptv3>("backbone", params)),
      head_(emplace_child<Linear>("seg_head", backbone_.out_channels(), classes)) {
  check(!params.dec_depths.empty(), "model.dec_depths", "segmentation needs a decoder");
}

at::Tensor PointSegmentor::forward(const PointInput& input, ForwardContext& context, const PointHooks& hooks) {
  return head_.forward(backbone_.forward(input, context, hooks));
}

std::unique_ptr<PointSegmentor> make_segmentor(const ConfigNode& node, int64_t channels, int64_t classes) {
  const auto [type, rest] = split_type(node, "model");
  check_name(node.origin().text(), "model", type, {"ptv3"});
  const auto params = parse_params<Ptv3Params>(rest, "model");
  check(params.in_channels == channels, "model.in_channels", "does not fit task.voxel.channels: got ", params.in_channels,
        ", expected ", channels);
  return std::make_unique<PointSegmentor>(params, classes);
}

}  // namespace switchyard
