#include "core/moe/routing_override.h"

namespace switchyard {

void RoutingRuleParams::declare(Fields<RoutingRuleParams>& f) {
  f.add("sites", &RoutingRuleParams::sites, "glob over the names of the MoE sites");
  f.add("tokens", &RoutingRuleParams::tokens,
        "[first, last): places in the sequence along its order; empty: all", at_least(0));
  f.add("drop", &RoutingRuleParams::drop, "experts that no token may choose", at_least(0));
  f.add("delta", &RoutingRuleParams::delta, "one number per expert, added to its logit");
  f.add("k", &RoutingRuleParams::k, "experts per token", at_least(1));
  f.add("selector", &RoutingRuleParams::selector, "selector instead of the model's own");
  f.add("weights", &RoutingRuleParams::weights,
        "one number per expert: its weight where it is chosen");
}

std::string RoutingRuleParams::text() const {
  const ConfigNode mine = write_params(*this), plain = write_params(RoutingRuleParams());
  std::vector<std::string> changed;
  for (const auto& [key, value] : mine.as_map()) {
    if (!value.same_value(*plain.find(key))) changed.push_back(cat(key, "=", value.to_line()));
  }
  return join(changed, " ");
}

RoutingRule make_rule(const RoutingRuleParams& params) {
  RoutingRule rule;
  rule.sites = params.sites;
  rule.drop = params.drop;
  rule.k = params.k;
  rule.selector = params.selector;
  check(!rule.k || rule.selector.is_null(), "override", "got both k and selector, expected one");
  if (!params.tokens.empty()) {
    check(params.tokens.size() == 2 && params.tokens[0] <= params.tokens[1], "override.tokens",
          "got ", to_text(params.tokens), ", expected [first, last)");
    rule.first_token = params.tokens[0];
    rule.last_token = params.tokens[1];
  }
  const auto tensor = [](const std::vector<double>& values) {
    return values.empty() ? at::Tensor() : at::tensor(values, at::kDouble);
  };
  rule.delta = tensor(params.delta);
  rule.weights = tensor(params.weights);
  return rule;
}

}  // namespace switchyard
