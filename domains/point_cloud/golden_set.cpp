#include "domains/point_cloud/golden_set.h"

namespace switchyard {
namespace {

std::optional<double> number(const Json& map, const std::string& key) {
  const auto found = map.find(key);
  return found != map.end() && found->is_number() ? std::optional(found->get<double>())
                                                  : std::nullopt;
}

}  // namespace

std::optional<double> point_moe_golden_limit(const GoldenCase& golden, const std::string& tensor) {
  const Json& limits = golden.tolerance;
  if (const auto reduced = number(limits, "compute")) {
    return tensor == "outputs/feat_f64" ? number(limits, "vs_feat_f64") : reduced;
  }
  if (golden.dtype == at::kDouble) return number(limits, "f64");
  if (const auto both = number(limits, "f32")) return both;
  return number(limits, golden_group(tensor) == "outputs" ? "f32_output" : "f32_grad");
}

void register_point_moe_golden_set() {
  GoldenRule rule;
  rule.floor = [](const GoldenCase&, const std::string&, double largest) { return .001 * largest; };
  rule.limit = point_moe_golden_limit;
  register_golden_set({"point_moe", golden_format("pointmoe-golden/1"), std::move(rule)});
}

}  // namespace switchyard
