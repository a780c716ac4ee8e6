#pragma once

#include "core/moe/router.h"
#include "core/nn/linear.h"

namespace switchyard {

/// Experts choose from the whole batch, and a predictor learns how many each would take (DiffMoE,
/// arXiv 2503.14487). In training expert e takes its floor(M / E * capacity) best of all M tokens;
/// the predictor, which sees x without gradient, learns to say which ones (binary cross-entropy,
/// mean over tokens and experts, times `loss_weight`), and a threshold per expert follows the k-th
/// largest of its probabilities. At evaluation expert e takes as many of its best tokens as have a
/// probability above the threshold: only the number comes from the predictor. Not causal; the
/// result depends on the batch.
/// Publishes capacity_predictor.{0,2}.{weight,bias} and the buffers expert_threshold [E],
/// ema_decay [1].
class CapacityPredictorSelector : public Selector {
 public:
  struct Params {
    double capacity = 1, loss_weight = 0.01;
    static void declare(Fields<Params>& f);
  };
  CapacityPredictorSelector(const Params& params, int64_t channels, int64_t experts);
  Selection select(const SelectorInput& input, const ForwardContext& context) override;
  at::Tensor loss() override { return loss_; }
  double mean_k() const override { return params_.capacity; }
  bool causal() const override { return false; }

  /// Of the last selection, [T, E]: the predictor's logits.
  const at::Tensor& logits() const { return logits_TE_; }

 private:
  at::Tensor select_in_training(const at::Tensor& scores_TE);
  at::Tensor select_by_threshold(const at::Tensor& scores_TE) const;

  Params params_;
  at::Tensor &threshold_E_, &decay_;
  Linear *hidden_, *out_;
  at::Tensor logits_TE_, loss_;
};

void register_capacity_predictor_selector();

}  // namespace switchyard
