#pragma once

#include "core/golden/rule.h"

namespace switchyard {

/// Limits of the set routing: {"f32": {"outputs": a, "grads": b}, "f64": {...}}.
std::optional<double> routing_golden_limit(const GoldenCase& golden, const std::string& tensor);

/// Registers the golden set routing with its kinds, and the kind moe_layer of point_moe. Calling it
/// again does nothing.
void register_router_golden();

}  // namespace switchyard
