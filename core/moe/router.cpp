#include "core/moe/router.h"

#include <ATen/core/grad_mode.h>

#include "core/moe/apply_rule.h"
#include "core/moe/precision.h"
#include "core/moe/routing_check.h"
#include "core/moe/token_groups.h"

namespace switchyard {

Registry<Granularity>& granularities() {
  static Registry<Granularity> registry("granularity");
  return registry;
}
Registry<Scorer, int64_t, int64_t>& scorers() {
  static Registry<Scorer, int64_t, int64_t> registry("scorer");
  return registry;
}
Registry<LogitHook, int64_t>& logit_hooks() {
  static Registry<LogitHook, int64_t> registry("logit hook");
  return registry;
}
Registry<Selector, int64_t, int64_t>& selectors() {
  static Registry<Selector, int64_t, int64_t> registry("selector");
  return registry;
}
Registry<Weigher>& weighers() {
  static Registry<Weigher> registry("weigher");
  return registry;
}
Registry<SelectionHook>& selection_hooks() {
  static Registry<SelectionHook> registry("selection hook");
  return registry;
}
Registry<RouterLoss>& router_losses() {
  static Registry<RouterLoss> registry("router loss");
  return registry;
}

void NullSlotParams::declare(Fields<NullSlotParams>& f) {
  f.add("count", &NullSlotParams::count, "slots behind the experts whose output is zero",
        between(0, 4096));
  f.add("keep_share", &NullSlotParams::keep_share,
        "weights are renormalised over all chosen slots; false: over the experts among them");
}

RouterParams::RouterParams()
    : granularity(std::string("token")),
      scorer(std::string("linear")),
      selector(std::string("topk")),
      weigher(std::string("softmax")) {}

void RouterParams::declare(Fields<RouterParams>& f) {
  f.add("granularity", &RouterParams::granularity, "which tokens share one decision");
  f.add("scorer", &RouterParams::scorer, "gives every token a logit per expert and null slot");
  f.node("null_slots", &RouterParams::null_slots, "slots that do nothing");
  f.add("hooks", &RouterParams::hooks, "changes of the logits before selection, in order");
  f.add("selector", &RouterParams::selector, "chooses the experts of every token");
  f.add("weigher", &RouterParams::weigher, "turns logits into scores and scores into weights");
  f.add("selection_hooks", &RouterParams::selection_hooks,
        "changes of the decision of some tokens, in order");
  f.add("losses", &RouterParams::losses, "auxiliary losses, with their coefficients");
}

Router::Router(const RouterParams& params, int64_t channels, int64_t experts, std::string site)
    : site_(std::move(site)),
      params_(params),
      experts_(experts),
      columns_(experts + params.null_slots.count) {
  granularity_ = granularities().make(params.granularity, "router.granularity");
  scorer_ = &add_child("", scorers().make(params.scorer, "router.scorer", channels, columns_));
  for (const ConfigNode& node : params.hooks) {
    const std::string name = "hook" + to_text(hooks_.size());
    hooks_.push_back(&add_child(name, logit_hooks().make(node, "router.hooks", columns_)));
  }
  selector_ =
      &add_child("", selectors().make(params.selector, "router.selector", channels, columns_));
  weigher_ = weighers().make(params.weigher, "router.weigher");
  for (const ConfigNode& node : params.selection_hooks) {
    selection_hooks_.push_back(selection_hooks().make(node, "router.selection_hooks"));
    check(granularity_->alone() || !selection_hooks_.back()->cuts(), "router.selection_hooks",
          node.to_line(), " cuts tokens that decide together: got granularity ",
          params.granularity.to_line(), ", expected token");
  }
  for (const ConfigNode& node : params.losses)
    losses_.push_back(router_losses().make(node, "router.losses"));
}

double Router::mean_k() const {
  return selector_->mean_k() * params_.null_slots.routed_share(experts_);
}

int64_t Router::slots() const {
  int64_t slots = experts_;
  for (const auto& hook : selection_hooks_) slots += hook->extra_slots();
  return slots;
}

Router::Decision Router::Decision::take(const at::Tensor& row_T) const {
  auto [taken, entry_A] = take_tokens(selection, row_T);
  return {logits_TE.index_select(0, row_T), scores_TE.index_select(0, row_T), std::move(taken),
          weight_A.index_select(0, entry_A),
          chosen_TK.defined() ? chosen_TK.index_select(0, row_T) : chosen_TK};
}

at::Tensor Router::kept_entries(const Decision& decision, const ForwardContext& context) const {
  at::Tensor kept_A;
  const int64_t tokens = decision.scores_TE.size(0);
  for (const auto& hook : selection_hooks_) {
    if (!hook->cuts()) continue;
    auto open_T = context.level().valid;
    const auto routed_T = routed_tokens(tokens, context);
    if (routed_T.defined()) open_T = open_T.defined() ? open_T & routed_T : routed_T;
    const auto own_A = hook->kept(
        {decision.selection, decision.logits_TE.detach(), decision.scores_TE.detach(), open_T});
    kept_A = kept_A.defined() ? kept_A & own_A : own_A;
  }
  return kept_A;
}

void Router::weigh(Decision& decision, const ForwardContext& context) const {
  const auto weights = [&] { return weigher_->weights(decision.scores_TE, decision.selection); };
  const auto keep = [&](const at::Tensor& kept_A) {
    auto [left, entry_A] = keep_entries(decision.selection, kept_A);
    decision.selection = std::move(left);
    return entry_A;
  };
  const bool nulls = columns_ > experts_;
  const auto kept_A = kept_entries(decision, context);
  if (nulls || kept_A.defined()) decision.chosen_TK = padded_slots(decision.selection);
  if (kept_A.defined()) keep(kept_A);
  if (!nulls) return void(decision.weight_A = weights());
  if (params_.null_slots.keep_share) decision.weight_A = weights();
  const auto entry_A = keep(decision.selection.slot_of < experts_);
  decision.weight_A =
      decision.weight_A.defined() ? decision.weight_A.index_select(0, entry_A) : weights();
}

Router::Decision Router::decide(const at::Tensor& x_TC, const ForwardContext& context) const {
  const auto rules = rules_at(site_, x_TC.size(0), columns_, context);
  Decision out;
  out.logits_TE = scorer_->forward(x_TC, context);
  for (LogitHook* hook : hooks_) out.logits_TE = hook->forward(out.logits_TE, context);
  for (const auto& rule : rules) out.logits_TE = rule.logits(out.logits_TE);
  out.scores_TE = weigher_->scores(out.logits_TE, context);
  const auto fixed_TE = out.scores_TE.detach();
  out.selection = selector_->select({x_TC.detach(), fixed_TE}, context);
  for (const auto& rule : rules) out.selection = rule.selection(out.selection, fixed_TE);
  for (const auto& rule : rules) rule.check_dropped(out.selection);
  weigh(out, context);
  for (const auto& rule : rules) out.weight_A = rule.weights(out.weight_A, out.selection);
  return out;
}

Router::Decision Router::decide_by_group(const at::Tensor& x_TC, ForwardContext& context) const {
  const auto groups = granularity_->groups(x_TC.size(0), context);
  if (!groups) return decide(x_TC, context);
  const auto x_GC = group_mean(x_TC.to(score_type(x_TC)), *groups, context.level().valid);
  context.descend(*groups);
  const Decision decision = decide(x_GC, context);
  context.ascend();
  return decision.take(groups->member_of);
}

void Router::apply_hooks(Decision& decision, const ForwardContext& context) const {
  int64_t first_slot = experts_;
  for (const auto& hook : selection_hooks_) {
    hook->apply(decision.selection, decision.weight_A, first_slot, context);
    first_slot += hook->extra_slots();
  }
  if (!decision.chosen_TK.defined()) return;
  const auto routed_T = routed_tokens(decision.chosen_TK.size(0), context);
  if (routed_T.defined())
    decision.chosen_TK = decision.chosen_TK.masked_fill(~routed_T.unsqueeze(1), -1);
}

at::Tensor Router::routed_tokens(int64_t tokens, const ForwardContext& context) const {
  at::Tensor routed_S;
  for (const auto& hook : selection_hooks_) {
    const auto left_S = hook->routed(context);
    if (left_S.defined()) routed_S = routed_S.defined() ? routed_S & left_S : left_S;
  }
  if (!routed_S.defined()) return {};
  const auto sequence_T = sequence_of(context.level(), tokens);
  return routed_S.to(sequence_T.device()).index_select(0, sequence_T);
}

std::optional<TopPRule> Router::one_rule() const {
  const int64_t k = selector_->best_k();
  if (!granularity_->alone() || k == 0) return {};
  auto rule = weigher_->rule(k);
  if (!rule) return {};
  rule->p = selector_->best_p();
  rule->null_slots = columns_ - experts_;
  rule->keep_share = params_.null_slots.keep_share;
  const auto& hooks = selection_hooks_;
  const bool forces = hooks.size() == 1 && hooks[0]->forces_slot() && k == 1 && is_top_k(*rule);
  if (!hooks.empty() && !forces) return {};
  return route_top_k_fits(std::max(columns_, slots()), k) ? rule : std::nullopt;
}

std::optional<TopPRule> Router::one_rule(const at::Tensor& x_TC,
                                         const ForwardContext& context) const {
  if (!rules_at(site_, x_TC.size(0), columns_, context).empty()) return {};
  return one_rule();
}

RouterOutput Router::route_at_once(const at::Tensor& x_TC, const TopPRule& rule,
                                   const ForwardContext& context) const {
  auto logits_TE = scorer_->forward(x_TC, context);
  for (LogitHook* hook : hooks_) logits_TE = hook->forward(logits_TE, context);
  RouterOutput out{logits_TE, {}, {}, x_TC, scorer_->prototypes(), {}};
  if (!is_top_k(rule)) {
    const RoutedTopP routed = route_top_p(logits_TE, rule);
    out.scores_TE = routed.scores_TE;
    out.assignment = routed.assignment;
    out.chosen_TK = routed.chosen_TK;
    out.null_slots = rule.null_slots;
    return out;
  }
  std::optional<ForcedTokens> forced;
  if (!selection_hooks_.empty())
    forced = {context.level().seq_offset, selection_hooks_[0]->routed(context)};
  const bool scores_are_read = context.trace || (context.training && !losses_.empty());
  const Routed routed = route_top_k(logits_TE, rule.best, forced, scores_are_read);
  out.scores_TE = routed.scores_TE;
  out.assignment = routed.assignment;
  return out;
}

RouterOutput Router::route_by_stages(const at::Tensor& x_TC, ForwardContext& context) const {
  Decision decision = decide_by_group(x_TC, context);
  apply_hooks(decision, context);
  return {decision.logits_TE,
          decision.scores_TE,
          make_assignment(decision.selection.token_offset, decision.selection.slot_of,
                          decision.weight_A, slots()),
          x_TC,
          scorer_->prototypes(),
          {},
          decision.chosen_TK,
          columns_ - experts_};
}

RouterOutput Router::forward(const at::Tensor& x_TC, ForwardContext& context) {
  const AutocastOff full_precision;
  const auto rule = x_TC.is_cuda() ? one_rule(x_TC, context) : std::nullopt;
  RouterOutput out = rule ? route_at_once(x_TC, *rule, context) : route_by_stages(x_TC, context);
  if (!context.training) return out;
  out.routed_T = routed_tokens(x_TC.size(0), context);
  if (const auto loss = selector_->loss(); loss.defined())
    context.add_loss("selector/" + site_, loss);
  for (const auto& loss : losses_)
    context.add_loss(loss->name() + "/" + site_, loss->loss(out, context, site_));
  return out;
}

std::optional<double> Router::op_error(const at::Tensor& x_TC, ForwardContext& context) const {
  const AutocastOff full_precision;
  const at::NoGradGuard no_grad;
  const auto rule = one_rule(x_TC, context);
  if (!rule) return {};
  return routing_gap(route_at_once(x_TC, *rule, context), route_by_stages(x_TC, context), rule->p);
}

void Router::describe(SiteInfo& info) const {
  const auto lines = [](const std::vector<ConfigNode>& nodes) {
    std::vector<std::string> out;
    for (const ConfigNode& node : nodes) out.push_back(node.to_line());
    return out;
  };
  std::vector<std::string> stages = {params_.granularity.to_line(), params_.scorer.to_line()};
  for (const auto& hook : lines(params_.hooks)) stages.push_back(hook);
  if (columns_ > experts_) stages.push_back(cat(columns_ - experts_, " null slots"));
  stages.push_back(params_.selector.to_line());
  stages.push_back(params_.weigher.to_line());
  for (const auto& hook : lines(params_.selection_hooks)) stages.push_back(hook);
  info.stages = join(stages, " > ");
  info.losses = lines(params_.losses);
  info.k = mean_k();
  info.null_slots = columns_ - experts_;
  info.one_op = one_rule().has_value();
  info.slots = slots();
  info.reads = scorer_->reads();
  info.causal = granularity_->causal() && selector_->causal();
  for (const auto& hook : selection_hooks_) {
    for (const auto& field : hook->reads()) info.reads.push_back(field);
    info.causal = info.causal && hook->causal();
  }
}

}  // namespace switchyard
