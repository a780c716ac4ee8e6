#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <string>

namespace switchyard {

/// Tokens per expert, summed over the micro-batches of one optimizer step, per site: what a balance
/// loss with scope `accumulation` reads (Qiu et al. 2025, "Demons in the Detail"). One per trainer.
/// Evaluation passes never touch it.
class BalanceState {
 public:
  /// Adds one micro-batch and returns the sum of the step so far, this one included. [E] i64.
  at::Tensor add(const std::string& site, const at::Tensor& count_E);
  /// Call after every optimizer step.
  void end_step() { counts_.clear(); }

 private:
  std::map<std::string, at::Tensor> counts_;
};

}  // namespace switchyard
