#include "domains/diffusion/golden_set.h"

#include "core/base/glob.h"

namespace switchyard {
namespace {

/// What the difference is compared with besides the tensor's own largest value.
enum class Beside { Nothing, Group, One, Traces, Element };

struct Row {
  const char *kind, *tensor;  ///< globs; the first row that matches counts
  double f64, f32;
  Beside beside = Beside::Nothing;
};

/// The table "Tolerances" of the set's README.
constexpr Row kRows[] = {
    {"vae_posterior", "*", 1e-12, 1e-3, Beside::Element},
    {"vae_full", "grads/*", 2e-7, 2e-5, Beside::Group},
    {"vae_full", "grads_inputs/*", 1e-11, 5e-5},
    {"vae_*", "grads/*", 1e-11, 2e-5, Beside::Group},
    {"vae_module", "outputs/loss", 1e-11, 5e-5, Beside::Group},
    {"vae_*", "*", 1e-11, 1e-5},
    {"ddpm_schedule", "*", 1e-10, 1e-10, Beside::Element},
    {"ddpm_respace", "*", 1e-10, 1e-10, Beside::Element},
    {"ddpm_q", "outputs/pred_eps_from_x0", 1e-11, 1e-4},
    {"ddpm_vlb", "outputs/prior_bpd", 1e-10, 5e-4},
    {"ddpm_vlb", "*", 1e-10, 5e-5},
    {"ddpm_loss*", "grads*", 1e-9, 5e-5},
    {"ddpm_loss*", "*", 1e-10, 5e-5},
    {"ddpm_sample", "outputs/pred_x0", 1e-11, 1e-4},
    {"ddpm_*", "*", 1e-11, 1e-5},
    {"flow_grid", "*", 1e-14, 3e-7},
    {"flow_*", "*", 1e-11, 1e-5},
    {"metric_frechet*", "outputs/fd_offset", 1e-8, 1e-8, Beside::Traces},
    {"metric_frechet*", "*", 1e-12, 1e-12, Beside::Traces},
    {"metric_kid", "*", 1e-12, 1e-5, Beside::One},
    {"metric_*", "*", 1e-12, 1e-5},
    {"image_normalize", "outputs/exact*", 1e-12, 1e-7},
    {"image_normalize", "*", 1e-7, 1e-7},
    {"image_*", "*", 2e-7, 1e-5},
    {"ema*", "*", 1e-14, 2e-6},
    {"optimizer", "*", 1e-14, 2e-6},
};

const Row* row_of(const GoldenCase& c, const std::string& tensor) {
  for (const Row& row : kRows) {
    if (matches_glob(row.kind, c.kind) && matches_glob(row.tensor, tensor)) return &row;
  }
  return nullptr;
}

double first_or_zero(const GoldenCase& c, const std::string& name) {
  return c.has(name) ? c.file.get(name).view(-1)[0].item<double>() : 0;
}

/// Of both covariances, stored or as input.
double traces(const GoldenCase& c) {
  double sum = first_or_zero(c, "outputs/trace_a") + first_or_zero(c, "outputs/trace_b");
  for (const char* name : {"inputs/sigma_a", "inputs/sigma_b"})
    if (c.has(name)) sum += c.file.get(name).trace().item<double>();
  return sum;
}

double floor_of(const GoldenCase& c, const std::string& tensor, double largest) {
  const Row* row = row_of(c, tensor);
  if (!row) return 0;
  switch (row->beside) {
    case Beside::Group:
      return largest;
    case Beside::One:
      return 1;
    case Beside::Traces:
      return traces(c);
    default:
      return 0;
  }
}

/// The root of a product of singular covariances is known to the root of the rounding only.
bool singular_root(const GoldenCase& c, const std::string& tensor) {
  if (tensor != "outputs/fd" && tensor != "outputs/trace_sqrt") return false;
  if (!c.config.contains("rank_a")) return false;
  const auto rank =
      std::min(c.config.at("rank_a").get<int64_t>(), c.config.at("rank_b").get<int64_t>());
  return rank < c.config.at("dim").get<int64_t>();
}

/// The likelihood at t = 0 of a network that predicts the image itself.
bool steep_likelihood(const GoldenCase& c, const std::string& tensor) {
  return golden_group(tensor) != "outputs" && c.config.value("predict_xstart", false) &&
         c.config.value("learn_sigma", false);
}

std::optional<double> limit_of(const GoldenCase& c, const std::string& tensor) {
  const Row* row = row_of(c, tensor);
  if (!row) return {};
  if (singular_root(c, tensor)) return 1e-7;
  if (c.dtype == at::kDouble) return row->f64;
  const double limit = steep_likelihood(c, tensor) ? 1e-3 : row->f32;
  return limit * (c.device.is_cuda() ? 10 : 1);
}

bool each_element(const GoldenCase& c, const std::string& tensor) {
  const Row* row = row_of(c, tensor);
  return row && row->beside == Beside::Element;
}

}  // namespace

GoldenSet diffusion_golden_set() {
  GoldenRule rule;
  rule.floor = floor_of;
  rule.limit = limit_of;
  rule.each_element = each_element;
  // promoe's files, alike otherwise, also name the reference's dtype.
  const auto owns = [](const GoldenMetadata& m) {
    return m.count("format_version") && !m.count("format") && !m.count("dtype");
  };
  return {"diffusion", owns, std::move(rule)};
}

}  // namespace switchyard
