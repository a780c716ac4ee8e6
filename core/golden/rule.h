#pragma once
// How strictly the files of one golden set are compared. Every set documents its own rule; here it
// becomes a least denominator and a limit.

#include <functional>
#include <optional>
#include <string>

#include "core/golden/golden.h"

namespace switchyard {

/// error = max|a - b| / max(max|b|, floor), computed in double; it must not exceed the limit.
/// Infinities must stand in the same places with the same sign and count nowhere else; NaN fails.
struct GoldenRule {
  /// `tensor`: its full name; `largest`: largest absolute value among all floating tensors of its
  /// group in the file, the first part of the name ("outputs", "grads").
  std::function<double(const std::string& tensor, double largest)> floor;
  /// Nothing where the case is not meant for the precision of this run.
  std::function<std::optional<double>(const GoldenCase&, const std::string& tensor)> limit;
  /// What stands before a weight's key in the name of its gradient.
  std::string weight_gradients = "grads/";
};

/// `format`: the metadata entry of that name, as written in the files. Fails if registered twice.
void register_golden_set(const std::string& format, const std::string& set, GoldenRule rule);

struct GoldenSet {
  std::string format, name;
  GoldenRule rule;
};
/// nullptr if no set has this format.
const GoldenSet* find_golden_set(const std::string& format);
/// "grads/stem.weight" -> "grads"
std::string golden_group(const std::string& tensor);

/// Limits of the form {"f32": {"outputs": a, "grads": b}, "f64": {...}}.
std::optional<double> nested_golden_limit(const GoldenCase& golden, const std::string& tensor);
/// Limits of the set point_moe (its README, section 2): f64, f32, f32_output, f32_grad; in the
/// cases of reduced-precision attention compute and vs_feat_f64.
std::optional<double> point_moe_golden_limit(const GoldenCase& golden, const std::string& tensor);

}  // namespace switchyard
