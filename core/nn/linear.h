#pragma once

#include "core/nn/module.h"

namespace switchyard {

/// y = x W^T + b. `weight` [out, in], `bias` [out]; default init as in PyTorch.
class Linear : public Module {
 public:
  Linear(int64_t in, int64_t out, bool bias = true);
  at::Tensor forward(const at::Tensor& x) const;

  at::Tensor& weight;
  at::Tensor* bias = nullptr;
};

}  // namespace switchyard
