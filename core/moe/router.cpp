#include "core/moe/router.h"

#include "core/moe/precision.h"

namespace switchyard {

Registry<Scorer, int64_t, int64_t>& scorers() {
  static Registry<Scorer, int64_t, int64_t> registry("scorer");
  return registry;
}
Registry<LogitHook, int64_t>& logit_hooks() {
  static Registry<LogitHook, int64_t> registry("logit hook");
  return registry;
}
Registry<Selector, int64_t>& selectors() {
  static Registry<Selector, int64_t> registry("selector");
  return registry;
}
Registry<Weigher>& weighers() {
  static Registry<Weigher> registry("weigher");
  return registry;
}
Registry<RouterLoss>& router_losses() {
  static Registry<RouterLoss> registry("router loss");
  return registry;
}

RouterParams::RouterParams()
    : scorer(std::string("linear")),
      selector(std::string("topk")),
      weigher(std::string("softmax")) {}

void RouterParams::declare(Fields<RouterParams>& f) {
  f.add("scorer", &RouterParams::scorer, "gives every token a logit per expert");
  f.add("hooks", &RouterParams::hooks, "changes of the logits before selection, in order");
  f.add("selector", &RouterParams::selector, "chooses the experts of every token");
  f.add("weigher", &RouterParams::weigher, "turns logits into scores and scores into weights");
  f.add("losses", &RouterParams::losses, "auxiliary losses, with their coefficients");
}

Router::Router(const RouterParams& params, int64_t channels, int64_t experts, std::string site)
    : site_(std::move(site)), experts_(experts) {
  scorer_ = &add_child("", scorers().make(params.scorer, "router.scorer", channels, experts));
  for (const ConfigNode& node : params.hooks) {
    const std::string name = "hook" + to_text(hooks_.size());
    hooks_.push_back(&add_child(name, logit_hooks().make(node, "router.hooks", experts)));
  }
  selector_ = selectors().make(params.selector, "router.selector", experts);
  weigher_ = weighers().make(params.weigher, "router.weigher");
  for (const ConfigNode& node : params.losses)
    losses_.push_back(router_losses().make(node, "router.losses"));
}

RouterOutput Router::forward(const at::Tensor& x_TC, ForwardContext& context) {
  const AutocastOff full_precision;
  RouterOutput out;
  out.logits_TE = scorer_->forward(x_TC, context);
  for (LogitHook* hook : hooks_) out.logits_TE = hook->forward(out.logits_TE, context);
  out.scores_TE = weigher_->scores(out.logits_TE);
  const Selection selection = selector_->select(out.scores_TE.detach(), context);
  const auto weight = weigher_->weights(out.scores_TE, selection);
  out.assignment = make_assignment(selection.token_offset, selection.slot_of, weight, experts_);
  if (!context.training) return out;
  for (const auto& loss : losses_)
    context.add_loss(loss->name() + "/" + site_, loss->loss(out, context, site_));
  return out;
}

}  // namespace switchyard
