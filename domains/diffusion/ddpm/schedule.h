#pragma once
// The tables of a discrete diffusion process (Ho et al. 2020; Nichol, Dhariwal 2021), in double.

#include <ATen/core/Tensor.h>

#include <string>

namespace switchyard {

/// beta_t of t = 0 .. steps-1. `name`: linear, from 0.1 / steps to 20 / steps; cosine, from the
/// squared cosine of the signal left, at most 0.999. Errors: an unknown name, fewer than 1 step (21
/// if linear: betas must stay below 1).
at::Tensor ddpm_betas(const std::string& name, int64_t steps);

/// All [T] f64, entry t for step t: x_t = sqrt_alphas_cumprod x_0 + sqrt_one_minus_alphas_cumprod
/// noise.
struct DdpmTables {
  /// betas: [T], in (0, 1].
  explicit DdpmTables(const at::Tensor& betas);

  at::Tensor betas, log_betas;
  at::Tensor alphas_cumprod, alphas_cumprod_prev, alphas_cumprod_next;
  at::Tensor sqrt_alphas_cumprod, sqrt_one_minus_alphas_cumprod, log_one_minus_alphas_cumprod;
  at::Tensor sqrt_recip_alphas_cumprod, sqrt_recipm1_alphas_cumprod;
  /// Mean of x_{t-1} given x_t and x_0: coef1 x_0 + coef2 x_t.
  at::Tensor posterior_mean_coef1, posterior_mean_coef2;
  /// Entry 0 is 0; its logarithm repeats that of entry 1 (of beta_0 if there is one step only).
  at::Tensor posterior_variance, posterior_log_variance_clipped;
};

}  // namespace switchyard
