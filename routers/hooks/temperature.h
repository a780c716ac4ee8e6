#pragma once

#include "core/moe/router.h"

namespace switchyard {

/// logits / temperature: above 1 flattens the scores, below 1 sharpens them.
class TemperatureHook : public LogitHook {
 public:
  explicit TemperatureHook(double temperature) : temperature_(temperature) {}
  at::Tensor forward(const at::Tensor& logits_TE, const ForwardContext& context) override;

 private:
  double temperature_;
};

void register_temperature_hook();

}  // namespace switchyard
