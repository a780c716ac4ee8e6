#pragma once
// A small image classifier whose inner layers serve as features.

#include "core/nn/conv2d.h"
#include "core/nn/group_norm.h"
#include "core/nn/linear.h"
#include "core/train/feature_extractor.h"

namespace switchyard {

/// Four blocks of 3x3 convolution, group norm (8 groups) and ReLU with 32, 64, 128, 128 channels,
/// the first three of stride 2; the mean over the last map is `pooled` [B, 128], the map of the
/// second block `spatial` [B, 64, H/4, W/4]; logits = W pooled, without bias, as inception scores
/// have it.
class FeatureNet : public Module {
 public:
  explicit FeatureNet(int64_t classes);
  /// images [B, 3, H, W] u8, sides of at least 8, on the module's device. With gradients.
  FeatureSet forward(const at::Tensor& images_BCHW) const;

 private:
  struct Block {
    Conv2d& conv;
    GroupNorm& norm;
  };
  std::vector<Block> blocks_;
  Linear* head_;
};

}  // namespace switchyard
