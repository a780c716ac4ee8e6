#pragma once
// How large a model is: in all, and what a token meets.

#include <map>
#include <string>
#include <vector>

#include "core/nn/module.h"

namespace switchyard {

/// Trainable elements, and those a token meets: routed experts count by the share of a site's
/// experts that a token uses (mean k / experts).
struct ParameterCount {
  int64_t total = 0;
  double active = 0;
};

/// `share`: by site; what it does not name counts in full.
ParameterCount count_active(const Module& model, const std::map<std::string, double>& share);
/// The share that the selectors' mean k gives.
std::map<std::string, double> selector_share(const Module& model);

/// Trainable elements by part, in published order: routers, routed experts, shared experts, and
/// everything else by the first two words of its name ("backbone.enc").
std::vector<std::pair<std::string, int64_t>> parameters_by_part(const Module& model);

}  // namespace switchyard
