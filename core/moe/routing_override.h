#pragma once
// The one hook for every test-time method: what a pass changes in the routing of a trained model.
// Seeds: fewer or more experts (Dynamic Experts Search), logit offsets (rewiring on the fly), given
// weights (C3PO), opt-out of experts (FlexOlmo), another selector (SCMoE).

#include <ATen/core/Tensor.h>

#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "core/base/params.h"

namespace switchyard {

struct Selection;
struct TokenLevel;

/// One change, for some sites and some tokens. E experts, T tokens of a decision: groups where the
/// router's granularity is not `token`. The parts work in this order:
///   drop, delta -> logits;  selector or k -> selection;  weights -> weights
struct RoutingRule {
  std::string sites = "*";  ///< glob over site names
  /// Places in the sequence (along its order), first included, last not.
  int64_t first_token = 0, last_token = std::numeric_limits<int64_t>::max();
  std::vector<int64_t> drop;  ///< mask: experts that no token may choose
  at::Tensor delta;           ///< [E] or [T, E], added to the logits; may require gradients
  std::optional<int64_t> k;   ///< the k best experts of every token
  ConfigNode selector;        ///< a selector instead of the site's own; not together with k
  at::Tensor weights;         ///< [E] or [T, E]: the weight of an expert where it is chosen
};

/// Rules work one after the other. A pass reads it through ForwardContext::routing_override.
struct RoutingOverride {
  std::vector<RoutingRule> rules;
};

/// One rule as a config writes it.
struct RoutingRuleParams {
  std::string sites = "*";
  std::vector<int64_t> tokens, drop;
  std::vector<double> delta, weights;
  std::optional<int64_t> k;
  ConfigNode selector;
  static void declare(Fields<RoutingRuleParams>& f);
  /// Only the values that differ from the defaults, "k=1 sites=enc.*"; empty: changes nothing.
  std::string text() const;
};
/// Errors: `tokens` that is not [first, last), k and selector together.
RoutingRule make_rule(const RoutingRuleParams& params);

}  // namespace switchyard
