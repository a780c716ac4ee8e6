#include "routers/selectors/topp.h"

#include <ATen/ops/ones_like.h>

#include <cmath>

#include "core/kernels/routing.h"

namespace switchyard {
namespace {

/// [T, K] bool: the sum of the scores before is below p. Not cumsum(), which has no deterministic
/// form on a GPU.
at::Tensor below(const at::Tensor& score_TK, double p) {
  auto sum_T = at::zeros_like(score_TK.select(1, 0));
  std::vector<at::Tensor> taken = {at::ones_like(sum_T, at::kBool)};
  for (int64_t j = 1; j < score_TK.size(1); ++j) {
    sum_T = sum_T + score_TK.select(1, j - 1);
    taken.push_back(sum_T < p);
  }
  return at::stack(taken, 1);
}

}  // namespace

void TopPSelector::Params::declare(Fields<Params>& f) {
  f.add("p", &Params::p, "sum of the scores that a token's slots reach", between(0, 1));
  f.add("max_k", &Params::max_k, "most slots of a token; null: all", at_least(1));
  f.add("mean_k", &Params::mean_k, "slots per token to expect, for dense twins and cost tables",
        at_least(0));
}

TopPSelector::TopPSelector(const Params& params, int64_t slots)
    : p_(params.p), max_k_(params.max_k.value_or(slots)), mean_k_(params.mean_k), slots_(slots) {
  check(max_k_ <= slots, "router.selector.max_k", "more slots per token than slots: got ", max_k_,
        ", expected 1 to ", slots);
}

Selection TopPSelector::select(const SelectorInput& input, const ForwardContext&) {
  const auto& scores = input.scores_TE;
  const auto slot_TK = top_k_slots(scores, max_k_);
  if (p_ >= 1) return fixed_k_selection(slot_TK);
  const auto taken_TK = below(scores.gather(1, slot_TK), p_);
  const auto end_T = taken_TK.sum(1).cumsum(0);
  return {at::cat({at::zeros({1}, end_T.options()), end_T}), slot_TK.masked_select(taken_TK), 0};
}

double TopPSelector::mean_k() const {
  const double flat = std::max(1., std::ceil(p_ * static_cast<double>(slots_)));
  return mean_k_.value_or(std::min(flat, static_cast<double>(max_k_)));
}

void register_topp_selector() {
  selectors().add<TopPSelector::Params>(
      "topp", "the fewest best slots of every token whose scores sum to p",
      [](const TopPSelector::Params& p, int64_t, int64_t slots) {
        return std::make_unique<TopPSelector>(p, slots);
      });
}

}  // namespace switchyard
