#include "domains/diffusion/ddpm/loss.h"

#include <cmath>
#include <numbers>

namespace switchyard {
namespace {

constexpr double kHalfBin = 1. / 255, kTail = .999, kLeast = 1e-12;

at::Tensor mean_of_image(const at::Tensor& x) { return x.flatten(1).mean(1); }
at::Tensor bits(const at::Tensor& nats) { return mean_of_image(nats) / std::numbers::ln2; }
at::Tensor safe_log(const at::Tensor& x) { return x.clamp_min(kLeast).log(); }

/// The tanh approximation of the normal distribution function.
at::Tensor normal_cdf(const at::Tensor& x) {
  return .5 * (1 + (std::sqrt(2 / std::numbers::pi) * (x + .044715 * x.pow(3))).tanh());
}

at::Tensor log_likelihood(const at::Tensor& x, const Gaussian& p) {
  const auto inverse_std = (-.5 * p.log_variance).exp(), centred = x - p.mean;
  const auto upper = normal_cdf(inverse_std * (centred + kHalfBin)),
             lower = normal_cdf(inverse_std * (centred - kHalfBin));
  return at::where(x < -kTail, safe_log(upper),
                   at::where(x > kTail, safe_log(1 - lower), safe_log(upper - lower)));
}

/// The network's output with the gradient of its variance alone.
at::Tensor mean_held(const at::Tensor& out, int64_t channels) {
  return at::cat({out.narrow(1, 0, channels).detach(), out.narrow(1, channels, channels)}, 1);
}

}  // namespace

at::Tensor gaussian_kl_bits(const Gaussian& a, const Gaussian& b) {
  return bits(.5 * (-1 + b.log_variance - a.log_variance + (a.log_variance - b.log_variance).exp() +
                    (a.mean - b.mean).square() * (-b.log_variance).exp()));
}

at::Tensor variational_term(const DdpmProcess& process, const ReverseStep& p, const at::Tensor& x0,
                            const at::Tensor& x_t, const at::Tensor& t_B) {
  const auto kl = gaussian_kl_bits(process.posterior(x0, x_t, t_B), p);
  return at::where(t_B.to(kl.device()) == 0, bits(-log_likelihood(x0, p)), kl);
}

DdpmLoss ddpm_loss(const DdpmProcess& process, DdpmLossKind kind, const at::Tensor& out,
                   const at::Tensor& x0, const at::Tensor& noise, const at::Tensor& x_t,
                   const at::Tensor& t_B) {
  const auto bound = [&](const at::Tensor& output) {
    return variational_term(process, process.reverse(output, x_t, t_B, false), x0, x_t, t_B);
  };
  const auto steps = static_cast<double>(process.steps());
  if (kind == DdpmLossKind::RescaledKl) return {steps * bound(out), {}, {}};
  const auto target = process.predict() == DdpmPredict::X0 ? x0 : noise;
  check(out.dim() == 4 && out.size(1) >= x0.size(1), "ddpm_loss", "prediction: got ",
        to_text(out.sizes().vec()), ", expected at least ", x0.size(1), " channels");
  const auto mse = mean_of_image((target - out.narrow(1, 0, x0.size(1))).square());
  if (!process.learns_variance()) return {mse, mse, {}};
  auto vb = bound(mean_held(out, x0.size(1)));
  if (kind == DdpmLossKind::RescaledMse) vb = vb * (steps / 1000);
  return {mse + vb, mse, vb};
}

}  // namespace switchyard
