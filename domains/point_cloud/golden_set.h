#pragma once

#include "core/golden/rule.h"

namespace switchyard {

/// Limits of the set point_moe (its README, section 2): f64, f32, f32_output, f32_grad; in the
/// cases of reduced-precision attention compute and vs_feat_f64.
std::optional<double> point_moe_golden_limit(const GoldenCase& golden, const std::string& tensor);
void register_point_moe_golden_set();

}  // namespace switchyard
