#include "domains/diffusion/golden_set.h"

namespace switchyard {
namespace {

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// Absolute where sums cancel; gradients against the largest of the file (README of the set).
double floor_of(const GoldenCase&, const std::string& tensor, double largest) {
  if (golden_group(tensor) != "outputs") return largest;
  if (contains(tensor, "/aux.") || tensor.ends_with("loss.aux")) return .1;
  const bool sum =
      tensor.ends_with("loss.main") || tensor.ends_with("loss.total") || tensor == "outputs/loss";
  return sum || contains(tensor, "steps/weights/") || contains(tensor, "steps/ema/") ? 1 : 0;
}

/// The README's limits, where the frequencies of time are computed in double.
std::optional<double> limit_of_time(const GoldenCase& c, const std::string& tensor) {
  const auto module = c.file.metadata().find("module");
  if (module == c.file.metadata().end() || module->second != "timestep_embedder") return {};
  return tensor == "outputs/freq" ? 1e-4 : 2e-5;
}

double limit_on_cpu(const std::string& tensor) {
  if (tensor.starts_with("grads_aux")) return 2e-5;
  if (contains(tensor, "steps/weights/") || contains(tensor, "steps/ema/")) return 5e-6;
  for (const char* exact : {"sigmas", "timesteps", "/sigma", "/t", ".sigma", ".t"})
    if (tensor.ends_with(exact)) return 1e-6;
  return tensor.starts_with("outputs/sampler/") ? 2e-5 : 1e-5;
}

}  // namespace

GoldenSet promoe_golden_set() {
  GoldenRule rule;
  rule.floor = floor_of;
  rule.limit = [](const GoldenCase& c, const std::string& tensor) {
    const bool loose = c.device.is_cuda() && c.dtype == at::kFloat;
    const double limit = limit_of_time(c, tensor).value_or(limit_on_cpu(tensor));
    return std::optional(limit * (loose ? 10 : 1));
  };
  const auto owns = [](const GoldenMetadata& m) {
    return m.count("format_version") && !m.count("format") && m.count("dtype");
  };
  return {"promoe", owns, std::move(rule)};
}

}  // namespace switchyard
