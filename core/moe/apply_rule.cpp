#include "core/moe/apply_rule.h"

#include <limits>

#include "core/base/glob.h"
#include "core/kernels/routing.h"
#include "core/moe/token_groups.h"

namespace switchyard {
namespace {

void check_shape(const std::string& site, const char* what, const at::Tensor& value, int64_t tokens,
                 int64_t experts) {
  if (!value.defined()) return;
  const auto shape = value.sizes().vec();
  check(shape == std::vector{experts} || shape == std::vector{tokens, experts}, site, "override.",
        what, ": got shape ", to_text(shape), ", expected ", to_text(std::vector{experts}), " or ",
        to_text(std::vector{tokens, experts}));
}

}  // namespace

AppliedRule::AppliedRule(const RoutingRule& rule, const std::string& site, int64_t tokens,
                         int64_t experts, const ForwardContext& context)
    : rule_(rule), site_(site), tokens_(tokens), experts_(experts), context_(context) {
  check_shape(site, "delta", rule.delta, tokens, experts);
  check_shape(site, "weights", rule.weights, tokens, experts);
  for (const int64_t expert : rule.drop) {
    check(expert >= 0 && expert < experts, site, "override.drop: got expert ", expert,
          ", expected 0 to ", experts - 1);
  }
  check(!rule.k || (*rule.k >= 1 && *rule.k <= experts), site, "override.k: got ",
        rule.k.value_or(0), ", expected 1 to ", experts);
  if (rule.first_token <= 0 && rule.last_token == std::numeric_limits<int64_t>::max()) return;
  const auto place_T = position_in_sequence(context.level(), tokens);
  here_T_ = (place_T >= rule.first_token) & (place_T < rule.last_token);
}

at::Tensor AppliedRule::logits(const at::Tensor& logits_TE) const {
  auto changed = logits_TE;
  if (!rule_.drop.empty()) {
    const auto index = at::tensor(rule_.drop, at::kLong).to(logits_TE.device());
    changed = changed.index_fill(1, index, -std::numeric_limits<double>::infinity());
  }
  if (rule_.delta.defined()) changed = changed + rule_.delta.to(logits_TE.options());
  return here_T_.defined() ? at::where(here_T_.unsqueeze(1), changed, logits_TE) : changed;
}

Selection AppliedRule::choose(const at::Tensor& scores_TE) const {
  if (rule_.k) return fixed_k_selection(top_k_slots(scores_TE, *rule_.k));
  return selectors()
      .make(rule_.selector, "override.selector", /*channels=*/1, experts_)
      ->select({{}, scores_TE}, context_);
}

Selection AppliedRule::selection(const Selection& own, const at::Tensor& scores_TE) const {
  if (!rule_.k && rule_.selector.is_null()) return own;
  const Selection changed = choose(scores_TE);
  return here_T_.defined() ? where_tokens(here_T_, changed, own).first : changed;
}

void AppliedRule::check_dropped(const Selection& selection) const {
  if (rule_.drop.empty()) return;
  auto dropped_E = at::zeros({experts_}, at::kBool);
  for (const int64_t expert : rule_.drop) dropped_E[expert].fill_(true);
  auto bad_A = dropped_E.to(selection.slot_of.device()).index_select(0, selection.slot_of);
  if (here_T_.defined()) bad_A = bad_A & here_T_.index_select(0, token_of_entry(selection));
  check(!bad_A.any().item<bool>(), site_, "override.drop leaves too few experts: got ",
        rule_.drop.size(), " of ", experts_, " dropped, fewer remain than the selector takes");
}

at::Tensor AppliedRule::at_entries(const at::Tensor& value, const Selection& selection) const {
  if (value.dim() == 1) return value.index_select(0, selection.slot_of);
  return value.reshape(-1).index_select(0,
                                        token_of_entry(selection) * experts_ + selection.slot_of);
}

at::Tensor AppliedRule::weights(const at::Tensor& weight_A, const Selection& selection) const {
  if (!rule_.weights.defined()) return weight_A;
  const auto given_A = at_entries(rule_.weights.to(weight_A.options()), selection);
  if (!here_T_.defined()) return given_A;
  return at::where(here_T_.index_select(0, token_of_entry(selection)), given_A, weight_A);
}

std::vector<AppliedRule> rules_at(const std::string& site, int64_t tokens, int64_t experts,
                                  const ForwardContext& context) {
  std::vector<AppliedRule> out;
  if (!context.routing_override) return out;
  for (const RoutingRule& rule : context.routing_override->rules) {
    if (matches_glob(rule.sites, site)) out.emplace_back(rule, site, tokens, experts, context);
  }
  return out;
}

}  // namespace switchyard
