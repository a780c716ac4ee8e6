#include "domains/diffusion/ddpm/schedule.h"

#include <ATen/ops/linspace.h>

#include <numbers>

#include "core/base/error.h"

namespace switchyard {
namespace {

constexpr const char* kWhere = "ddpm schedule";
constexpr double kLargestBeta = .999;

at::Tensor linear_betas(int64_t steps) {
  check(steps > 20, kWhere, "steps: got ", steps, ", expected at least 21 where it is linear");
  const auto count = static_cast<double>(steps);
  return at::linspace(.1 / count, 20 / count, steps, at::kDouble);
}

at::Tensor cosine_betas(int64_t steps) {
  const auto time = at::arange(steps + 1, at::kDouble) / static_cast<double>(steps);
  const auto left = ((time + .008) / 1.008 * (std::numbers::pi / 2)).cos().square();
  return (1 - left.narrow(0, 1, steps) / left.narrow(0, 0, steps)).clamp_max(kLargestBeta);
}

/// `first` before, or after, all entries but one.
at::Tensor moved_right(const at::Tensor& table, double first) {
  return at::cat({at::full({1}, first, table.options()), table.narrow(0, 0, table.size(0) - 1)});
}
at::Tensor moved_left(const at::Tensor& table, double last) {
  return at::cat({table.narrow(0, 1, table.size(0) - 1), at::full({1}, last, table.options())});
}

}  // namespace

at::Tensor ddpm_betas(const std::string& name, int64_t steps) {
  check_name(kWhere, "schedule", name, {"linear", "cosine"});
  check(steps >= 1, kWhere, "steps: got ", steps, ", expected at least 1");
  return name == "linear" ? linear_betas(steps) : cosine_betas(steps);
}

DdpmTables::DdpmTables(const at::Tensor& given) : betas(given), log_betas(given.log()) {
  const auto alphas = 1 - betas;
  alphas_cumprod = alphas.cumprod(0);
  alphas_cumprod_prev = moved_right(alphas_cumprod, 1);
  alphas_cumprod_next = moved_left(alphas_cumprod, 0);
  const auto noise = 1 - alphas_cumprod, noise_before = 1 - alphas_cumprod_prev;
  sqrt_alphas_cumprod = alphas_cumprod.sqrt();
  sqrt_one_minus_alphas_cumprod = noise.sqrt();
  log_one_minus_alphas_cumprod = noise.log();
  sqrt_recip_alphas_cumprod = (1 / alphas_cumprod).sqrt();
  sqrt_recipm1_alphas_cumprod = (1 / alphas_cumprod - 1).sqrt();
  posterior_mean_coef1 = betas * alphas_cumprod_prev.sqrt() / noise;
  posterior_mean_coef2 = noise_before * alphas.sqrt() / noise;
  posterior_variance = betas * noise_before / noise;
  posterior_log_variance_clipped = posterior_variance.log();
  posterior_log_variance_clipped[0] =
      betas.size(0) > 1 ? posterior_log_variance_clipped[1] : log_betas[0];
}

}  // namespace switchyard
