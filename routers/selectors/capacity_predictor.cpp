#include "routers/selectors/capacity_predictor.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/binary_cross_entropy_with_logits.h>
#include <ATen/ops/silu.h>

#include "routers/selectors/expert_choice.h"

namespace switchyard {

void CapacityPredictorSelector::Params::declare(Fields<Params>& f) {
  f.add("capacity", &Params::capacity, "mean number of experts per token in training", at_least(0));
  f.add("loss_weight", &Params::loss_weight, "coefficient of the predictor's cross-entropy",
        at_least(0));
}

CapacityPredictorSelector::CapacityPredictorSelector(const Params& params, int64_t channels,
                                                     int64_t experts)
    : params_(params),
      threshold_E_(add_buffer("expert_threshold", at::zeros({experts}, at::kFloat))),
      decay_(add_buffer("ema_decay", at::full({1}, .95, at::kFloat))),
      hidden_(&emplace_child<Linear>("capacity_predictor.0", channels, channels)),
      out_(&emplace_child<Linear>("capacity_predictor.2", channels, experts)) {}

Selection CapacityPredictorSelector::select(const SelectorInput& input,
                                            const ForwardContext& context) {
  check(input.x_TC.defined(), "capacity_predictor",
        "needs the tokens themselves: it cannot stand in for another selector");
  loss_ = at::Tensor();
  const auto x = input.x_TC.to(threshold_E_.scalar_type());
  logits_TE_ = out_->forward(at::silu(hidden_->forward(x)));
  return mask_selection(context.training ? select_in_training(input.scores_TE)
                                         : select_by_threshold(input.scores_TE));
}

at::Tensor CapacityPredictorSelector::select_in_training(const at::Tensor& scores_TE) {
  const int64_t tokens = scores_TE.size(0);
  const int64_t k = expert_capacity(tokens, scores_TE.size(1), params_.capacity);
  const auto mask_TE = best_tokens(scores_TE, at::tensor({int64_t{0}, tokens}, at::kLong),
                                   [&](int64_t) { return k; });
  loss_ = at::binary_cross_entropy_with_logits(logits_TE_, mask_TE.to(logits_TE_.scalar_type())) *
          params_.loss_weight;
  if (k > 0) {
    const at::NoGradGuard no_grad;
    const auto kth_E = std::get<0>(logits_TE_.sigmoid().topk(k, 0)).select(0, k - 1);
    threshold_E_.copy_(threshold_E_ * decay_ + kth_E * (1 - decay_));
  }
  return mask_TE;
}

at::Tensor CapacityPredictorSelector::select_by_threshold(const at::Tensor& scores_TE) const {
  const auto count_E = (logits_TE_.sigmoid() > threshold_E_).sum(0);
  const auto order_TE =
      std::get<1>(scores_TE.sort(/*stable=*/true, /*dim=*/0, /*descending=*/true));
  const auto rank_TE = std::get<1>(order_TE.sort(/*stable=*/true, /*dim=*/0, false));
  return rank_TE < count_E.unsqueeze(0);
}

void register_capacity_predictor_selector() {
  selectors().add<CapacityPredictorSelector::Params>(
      "capacity_predictor", "experts choose from the batch; a predictor learns how many",
      [](const CapacityPredictorSelector::Params& p, int64_t channels, int64_t experts) {
        return std::make_unique<CapacityPredictorSelector>(p, channels, experts);
      });
}

}  // namespace switchyard
