#include "core/golden/rule.h"

#include <algorithm>
#include <deque>

#include "core/base/error.h"

namespace switchyard {
namespace {

std::optional<double> number(const Json& map, const std::string& key) {
  const auto found = map.find(key);
  return found != map.end() && found->is_number() ? std::optional(found->get<double>())
                                                  : std::nullopt;
}

bool is_output(const std::string& tensor) { return golden_group(tensor) == "outputs"; }

GoldenSet point_moe() {
  GoldenRule rule;
  rule.floor = [](const std::string&, double largest) { return .001 * largest; };
  rule.limit = point_moe_golden_limit;
  return {"pointmoe-golden/1", "point_moe", std::move(rule)};
}

GoldenSet routing() {
  GoldenRule rule;
  rule.floor = [](const std::string& tensor, double largest) {
    return is_output(tensor) ? .01 : std::max(.01, .01 * largest);
  };
  rule.limit = nested_golden_limit;
  rule.weight_gradients = "grads/weights/";
  return {"switchyard-golden-1", "routing", std::move(rule)};
}

std::deque<GoldenSet>& sets() {
  static std::deque<GoldenSet> all = {point_moe(), routing()};
  return all;
}

}  // namespace

std::string golden_group(const std::string& tensor) { return tensor.substr(0, tensor.find('/')); }

void register_golden_set(const std::string& format, const std::string& set, GoldenRule rule) {
  check(!find_golden_set(format), "golden set", "registered twice: got '", format, "'");
  sets().push_back({format, set, std::move(rule)});
}

const GoldenSet* find_golden_set(const std::string& format) {
  for (const GoldenSet& set : sets()) {
    if (set.format == format) return &set;
  }
  return nullptr;
}

std::optional<double> nested_golden_limit(const GoldenCase& golden, const std::string& tensor) {
  const auto found = golden.tolerance.find(golden.dtype == at::kDouble ? "f64" : "f32");
  if (found == golden.tolerance.end() || !found->is_object()) return std::nullopt;
  return number(*found, is_output(tensor) ? "outputs" : "grads");
}

std::optional<double> point_moe_golden_limit(const GoldenCase& golden, const std::string& tensor) {
  const Json& limits = golden.tolerance;
  if (const auto reduced = number(limits, "compute")) {
    return tensor == "outputs/feat_f64" ? number(limits, "vs_feat_f64") : reduced;
  }
  if (golden.dtype == at::kDouble) return number(limits, "f64");
  if (const auto both = number(limits, "f32")) return both;
  return number(limits, is_output(tensor) ? "f32_output" : "f32_grad");
}

}  // namespace switchyard
