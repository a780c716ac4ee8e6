#pragma once

#include "core/moe/router.h"

namespace switchyard {

/// alpha * mean over valid tokens of logsumexp(logits)^2 (ST-MoE, Zoph et al. 2022).
class ZLoss : public RouterLoss {
 public:
  explicit ZLoss(double alpha) : alpha_(alpha) {}
  std::string name() const override { return "z"; }
  at::Tensor loss(const RouterOutput& output, const ForwardContext& context,
                  const std::string& site) override;

 private:
  double alpha_;
};

void register_z_loss();

}  // namespace switchyard
