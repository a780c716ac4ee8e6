#include "domains/diffusion/features/feature_net.h"

namespace switchyard {
namespace {

constexpr int64_t kWidths[] = {32, 64, 128, 128}, kStrides[] = {2, 2, 2, 1};
constexpr size_t kSpatialBlock = 1;
constexpr int64_t kGroups = 8;
constexpr double kEps = 1e-5;

}  // namespace

FeatureNet::FeatureNet(int64_t classes) {
  int64_t in = 3;
  for (size_t i = 0; i < std::size(kWidths); ++i) {
    const std::string name = cat("blocks.", i);
    auto& conv = emplace_child<Conv2d>(name + ".conv", in, kWidths[i], 3, kStrides[i], 1);
    blocks_.push_back({conv, emplace_child<GroupNorm>(name + ".norm", kGroups, kWidths[i], kEps)});
    in = kWidths[i];
  }
  head_ = &emplace_child<Linear>("head", in, classes, /*bias=*/false);
}

FeatureSet FeatureNet::forward(const at::Tensor& images_BCHW) const {
  FeatureSet out;
  at::Tensor x = images_BCHW.to(at::kFloat) / 127.5 - 1;
  for (size_t i = 0; i < blocks_.size(); ++i) {
    x = blocks_[i].norm.forward(blocks_[i].conv.forward(x)).relu();
    if (i == kSpatialBlock) out.spatial = x;
  }
  out.pooled = x.mean({2, 3});
  out.logits = head_->forward(out.pooled);
  return out;
}

}  // namespace switchyard
