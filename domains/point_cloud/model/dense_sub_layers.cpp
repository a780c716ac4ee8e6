#include "domains/point_cloud/model/dense_sub_layers.h"

#include <ATen/ops/gelu.h>
#include "core/base/step_timer.h"

namespace switchyard {

LinearSubLayer::LinearSubLayer(int64_t channels)
    : weight_(add_parameter("weight", {channels, channels}, Init::fan_in(channels))),
      bias_(add_parameter("bias", {channels}, Init::fan_in(channels))) {}

at::Tensor LinearSubLayer::forward(const at::Tensor& x_TC, ForwardContext&) {
  return at::linear(x_TC, weight_, bias_);
}

MlpSubLayer::MlpSubLayer(int64_t channels, int64_t hidden)
    : fc1_(&emplace_child<Linear>("fc1", channels, hidden)),
      fc2_(&emplace_child<Linear>("fc2", hidden, channels)) {}

at::Tensor MlpSubLayer::forward(const at::Tensor& x_TC, ForwardContext&) {
  TimedScope scope("mlp");
  return fc2_->forward(at::gelu(fc1_->forward(x_TC)));
}

}  // namespace switchyard
