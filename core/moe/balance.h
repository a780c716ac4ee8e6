#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <map>
#include <string>

namespace switchyard {

/// Tokens per expert, summed over the micro-batches of one optimizer step, per site: what a balance
/// loss with scope `accumulation` or `global` reads (Qiu et al. 2025, "Demons in the Detail"). One
/// per trainer. Evaluation passes never touch it.
class BalanceState {
 public:
  /// Sum of a [E] i64 over the ranks of a process group. Without one this program is the only rank,
  /// and the sum is the value itself.
  using SumOverRanks = std::function<at::Tensor(const at::Tensor&)>;

  explicit BalanceState(SumOverRanks sum_over_ranks = {})
      : sum_over_ranks_(std::move(sum_over_ranks)) {}

  /// Adds one micro-batch of this rank and returns the rank's sum of the step so far, this one
  /// included. [E] i64. `counter`: one per loss, so that two losses at a site do not count twice.
  at::Tensor add(const std::string& counter, const at::Tensor& count_E);
  /// The same, summed over all ranks. Every rank must call it, in the same order.
  at::Tensor add_global(const std::string& counter, const at::Tensor& count_E);
  /// Call after every optimizer step.
  void end_step() { counts_.clear(); }

 private:
  SumOverRanks sum_over_ranks_;
  std::map<std::string, at::Tensor> counts_;
};

}  // namespace switchyard
