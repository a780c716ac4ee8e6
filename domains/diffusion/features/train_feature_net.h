#pragma once

#include <functional>

#include "core/base/params.h"
#include "domains/diffusion/features/feature_net.h"

namespace switchyard {

struct FeatureNetParams {
  int64_t seed = 0;
  int64_t steps = 300;
  int64_t batch = 64;
  double lr = 2e-3;  ///< peak of AdamW; cosine to 0
  static void declare(Fields<FeatureNetParams>& f);
};

/// Labels may be classes, or cells (data domain, class), so that features tell domains apart too.
struct LabelledImages {
  at::Tensor images_NCHW;  ///< u8, 3 channels, sides of at least 8
  at::Tensor label_N;      ///< i64
};
/// Error at `where`: shapes or types, no image, labels outside 0 .. classes-1.
void check_labelled(const LabelledImages& data, int64_t classes, const std::string& where);

/// Draws the weights and trains on cross entropy: a pure function of data and parameters for one
/// device and thread count. Batches are drawn with repetition. Error: a loss that is not finite.
void train_feature_net(FeatureNet& net, const LabelledImages& data, const FeatureNetParams& params);
/// Share of the images whose largest logit is that of their label.
double accuracy(const FeatureNet& net, const LabelledImages& data);

}  // namespace switchyard
