#pragma once

#include <optional>

#include "core/nn/module.h"

namespace switchyard {

/// How a linear layer starts.
struct LinearInit {
  Init weight, bias;
};

/// y = x W^T + b. `weight` [out, in], `bias` [out]; default init as in PyTorch.
class Linear : public Module {
 public:
  Linear(int64_t in, int64_t out, bool bias = true, std::optional<LinearInit> init = {});
  at::Tensor forward(const at::Tensor& x) const;

  at::Tensor& weight;
  at::Tensor* bias = nullptr;
};

}  // namespace switchyard
