#pragma once

#include <optional>

#include "core/config/node.h"
#include "core/moe/sub_layer.h"
#include "core/nn/linear.h"

namespace switchyard {

/// The published attention output projection as a site: weight [C, C], bias [C].
class LinearSubLayer : public SubLayer {
 public:
  explicit LinearSubLayer(int64_t channels);
  at::Tensor forward(const at::Tensor& x_TC, ForwardContext& context) override;

 private:
  at::Tensor &weight_, &bias_;
};

/// The published feed-forward part as a site: fc2(GELU(fc1 x)).
class MlpSubLayer : public SubLayer {
 public:
  MlpSubLayer(int64_t channels, int64_t hidden);
  at::Tensor forward(const at::Tensor& x_TC, ForwardContext& context) override;

 private:
  Linear *fc1_, *fc2_;
};

}  // namespace switchyard
