#include "domains/diffusion/ddpm/process.h"

#include "core/base/error.h"
#include "domains/diffusion/ddpm/respacing.h"

namespace switchyard {
namespace {

/// Betas of the process that keeps only some steps: 1 - abar_i / abar of the step kept before.
at::Tensor kept_betas(const at::Tensor& betas, const std::vector<int64_t>& kept) {
  const auto left = (1 - betas).cumprod(0).index_select(0, at::tensor(kept, at::kLong));
  const auto before = at::cat({at::ones({1}, left.options()), left.narrow(0, 0, left.size(0) - 1)});
  return 1 - left / before;
}

}  // namespace

DdpmProcess::DdpmProcess(const std::string& schedule, int64_t steps, const std::string& respacing,
                         DdpmPredict predict, DdpmVariance variance)
    : timesteps_(kept_steps(steps, respacing)),
      time_(at::tensor(timesteps_, at::kDouble) * (1000. / static_cast<double>(steps))),
      tables_(kept_betas(ddpm_betas(schedule, steps), timesteps_)),
      large_variance_(tables_.betas.clone()),
      predict_(predict),
      variance_(variance) {
  if (this->steps() > 1) large_variance_[0] = tables_.posterior_variance[1];
}

at::Tensor DdpmProcess::times(const at::Tensor& t_B, const at::Tensor& like) const {
  return time_.index_select(0, t_B.cpu()).to(like.options());
}

at::Tensor DdpmProcess::at_steps(const at::Tensor& table, const at::Tensor& t_B,
                                 const at::Tensor& like) {
  return table.index_select(0, t_B.cpu()).to(like.options()).view({-1, 1, 1, 1});
}

Gaussian DdpmProcess::forward(const at::Tensor& x0, const at::Tensor& t_B) const {
  return {at_steps(tables_.sqrt_alphas_cumprod, t_B, x0) * x0,
          at_steps(1 - tables_.alphas_cumprod, t_B, x0),
          at_steps(tables_.log_one_minus_alphas_cumprod, t_B, x0)};
}

at::Tensor DdpmProcess::noisy(const at::Tensor& x0, const at::Tensor& noise,
                              const at::Tensor& t_B) const {
  return at_steps(tables_.sqrt_alphas_cumprod, t_B, x0) * x0 +
         at_steps(tables_.sqrt_one_minus_alphas_cumprod, t_B, x0) * noise;
}

Gaussian DdpmProcess::posterior(const at::Tensor& x0, const at::Tensor& x_t,
                                const at::Tensor& t_B) const {
  return {at_steps(tables_.posterior_mean_coef1, t_B, x_t) * x0 +
              at_steps(tables_.posterior_mean_coef2, t_B, x_t) * x_t,
          at_steps(tables_.posterior_variance, t_B, x_t),
          at_steps(tables_.posterior_log_variance_clipped, t_B, x_t)};
}

at::Tensor DdpmProcess::x0_from_eps(const at::Tensor& x_t, const at::Tensor& eps,
                                    const at::Tensor& t_B) const {
  return at_steps(tables_.sqrt_recip_alphas_cumprod, t_B, x_t) * x_t -
         at_steps(tables_.sqrt_recipm1_alphas_cumprod, t_B, x_t) * eps;
}

at::Tensor DdpmProcess::eps_from_x0(const at::Tensor& x_t, const at::Tensor& x0,
                                    const at::Tensor& t_B) const {
  return (at_steps(tables_.sqrt_recip_alphas_cumprod, t_B, x_t) * x_t - x0) /
         at_steps(tables_.sqrt_recipm1_alphas_cumprod, t_B, x_t);
}

void DdpmProcess::set_variance(const at::Tensor& out, const at::Tensor& x_t, const at::Tensor& t_B,
                               Gaussian& step) const {
  if (variance_ == DdpmVariance::FixedLarge) {
    step.variance = at_steps(large_variance_, t_B, x_t);
    step.log_variance = at_steps(large_variance_.log(), t_B, x_t);
  } else if (learns_variance()) {
    const auto low = at_steps(tables_.posterior_log_variance_clipped, t_B, x_t),
               high = at_steps(tables_.log_betas, t_B, x_t);
    const auto share = (out.narrow(1, x_t.size(1), x_t.size(1)) + 1) / 2;
    step.log_variance = low + share * (high - low);
    step.variance = step.log_variance.exp();
  }
}

ReverseStep DdpmProcess::reverse(const at::Tensor& out, const at::Tensor& x_t,
                                 const at::Tensor& t_B, bool clip) const {
  const int64_t channels = x_t.size(1), wanted = channels * (learns_variance() ? 2 : 1);
  check(out.dim() == 4 && out.size(1) >= wanted, "ddpm", "prediction: got ",
        to_text(out.sizes().vec()), ", expected at least ", wanted, " channels");
  const auto value = out.narrow(1, 0, channels);
  auto x0 = predict_ == DdpmPredict::X0 ? value : x0_from_eps(x_t, value, t_B);
  if (clip) x0 = x0.clamp(-1, 1);
  ReverseStep step{posterior(x0, x_t, t_B), x0};
  set_variance(out, x_t, t_B, step);
  return step;
}

}  // namespace switchyard
