#include "domains/point_cloud/model/bare_segmentor.h"

#include <ATen/ops/zeros.h>

namespace switchyard {
namespace {

/// Size of axis `axis` of the tensor that is called `name`; 0 if there is none.
int64_t size_of(const NamedTensors& weights, const std::string& name, int64_t axis = 0) {
  for (const auto& [given, tensor] : weights) {
    if (given == name && axis < tensor.dim()) return tensor.size(axis);
  }
  return 0;
}

std::unique_ptr<SegmentationHead> head_for(const std::string& type, int64_t channels,
                                           const NamedTensors& weights) {
  const auto at_least_one = [](int64_t n) { return std::max<int64_t>(n, 1); };
  if (type == "decoupled") {
    std::vector<int64_t> classes;
    while (const int64_t n = size_of(weights, cat("seg_heads.", classes.size(), ".weight")))
      classes.push_back(n);
    return std::make_unique<DecoupledHead>(channels, classes);
  }
  if (type == "language") {
    const at::Tensor embedding = at::zeros({at_least_one(size_of(weights, "class_embedding")),
                                            at_least_one(size_of(weights, "class_embedding", 1))});
    return std::make_unique<LanguageHead>(channels, embedding, 0,
                                          std::vector<std::vector<int64_t>>{});
  }
  return std::make_unique<LinearHead>(channels, at_least_one(size_of(weights, "seg_head.weight")));
}

}  // namespace

std::unique_ptr<Module> bare_segmentor(const ConfigNode& model, const NamedTensors& weights) {
  const SegmentorConfig config = SegmentorConfig::parse(model, {});
  const std::string type = split_type(config.segmentor.head, "model.head").first;
  check_name(config.segmentor.head.origin().text(), "segmentation head", type,
             segmentation_heads().names());
  return std::make_unique<PointSegmentor>(config.backbone,
                                          head_for(type, config.backbone.out_channels(), weights));
}

}  // namespace switchyard
