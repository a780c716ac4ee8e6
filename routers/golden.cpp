#include "routers/golden.h"

#include "core/moe/layer.h"
#include "core/moe/router.h"
#include "core/nn/activation.h"
#include "routers/golden_sparse.h"
#include "routers/losses/balance.h"
#include "routers/register.h"

namespace switchyard {
namespace {

MoEConfig config_of(const GoldenCase& c) {
  MoEConfig config;
  Json router{{"selector", {{"type", "topk"}, {"k", c.config.at("top_k")}}}};
  if (c.has("inputs/contexts"))
    router["scorer"] = {{"type", "domain_guided"},
                        {"context_channels", c.config.at("context_channels")}};
  config.router = to_config(router);
  config.experts.count = c.config.at("num_experts").get<int64_t>();
  config.experts.hidden_mult = c.config.at("hidden_mult").get<double>();
  config.experts.activation = name_of(activation_from_name(c.config.at("act").get<std::string>()));
  config.experts.shared = c.config.at("shared_experts").get<int64_t>();
  return config;
}

/// One sequence, or those of inputs/offset with their contexts.
ForwardContext whole_input(const GoldenCase& c, const at::Tensor& x) {
  const auto start = at::zeros({1}, at::kLong);
  const auto ends =
      c.has("inputs/offset") ? c.input("offset") : at::full({1}, x.size(0), at::kLong);
  ForwardContext context;
  context.start({at::cat({start, ends}).to(x.device()), {}, {}, {}, {}});
  if (c.has("inputs/contexts")) context.cond = c.input("contexts").requires_grad_(true);
  return context;
}

void compare_layer(const GoldenCase& c, const MoEConfig& config, GoldenResult& result) {
  const auto x = c.input("x").requires_grad_(true);
  auto layer = make_moe_layer(config, x.size(1), x.size(1), "moe");
  c.load_weights(*layer);
  auto context = whole_input(c, x);
  const auto y = layer->forward(x, context);
  const auto loss = (y * c.input("cotangent")).sum();
  loss.backward();
  result.compare("outputs/y", y);
  result.compare("outputs/loss", loss);
  result.compare("grads/inputs/x", x.grad());
  if (context.cond.defined()) result.compare("grads/inputs/contexts", context.cond.grad());
  result.compare_module(*layer);
}

void compare_router(const GoldenCase& c, const MoEConfig& config, GoldenResult& result) {
  const auto x = c.input("x").requires_grad_(true);
  Router router(parse_params<RouterParams>(config.router, "router"), x.size(1),
                config.experts.count, "moe");
  c.load_weights(router, "gate.");
  auto context = whole_input(c, x);
  const auto out = router.forward(x, context);
  const auto aux = balance_term(out.scores_TE, out.assignment.count());
  aux.backward();
  result.compare("outputs/logits", out.logits_TE);
  result.compare("outputs/probs", out.scores_TE);
  result.compare("outputs/topk_idx", out.assignment.slot_of.view({x.size(0), -1}));
  result.compare("outputs/topk_weight", out.assignment.weight.view({x.size(0), -1}));
  result.compare("outputs/count", out.assignment.count());
  result.compare("outputs/aux", aux);
  result.compare("grads_aux/inputs/x", x.grad());
  if (context.cond.defined()) result.compare("grads_aux/inputs/contexts", context.cond.grad());
  for (const ParamView& view : router.views()) {
    if (view.trainable) result.compare("grads_aux/gate." + view.name, view.grad());
  }
}

void run_moe_layer(const GoldenCase& c, GoldenResult& result) {
  const MoEConfig config = config_of(c);
  compare_layer(c, config, result);
  compare_router(c, config, result);
}

bool is_output(const std::string& tensor) { return golden_group(tensor) == "outputs"; }

GoldenSet routing_set() {
  GoldenRule rule;
  rule.floor = [](const GoldenCase&, const std::string& tensor, double largest) {
    return is_output(tensor) ? .01 : std::max(.01, .01 * largest);
  };
  rule.limit = routing_golden_limit;
  rule.weight_gradients = "grads/weights/";
  return {"routing", golden_format("switchyard-golden-1"), std::move(rule)};
}

}  // namespace

std::optional<double> routing_golden_limit(const GoldenCase& c, const std::string& tensor) {
  const auto found = c.tolerance.find(c.dtype == at::kDouble ? "f64" : "f32");
  if (found == c.tolerance.end() || !found->is_object()) return {};
  const auto limit = found->find(is_output(tensor) ? "outputs" : "grads");
  return limit != found->end() && limit->is_number() ? std::optional(limit->get<double>())
                                                     : std::nullopt;
}

void register_router_golden() {
  [[maybe_unused]] static const bool once = [] {
    register_routers();
    register_golden_set(routing_set());
    register_golden_kind("point_moe", "moe_layer", run_moe_layer);
    register_sparse_golden_kinds();
    return true;
  }();
}

}  // namespace switchyard
