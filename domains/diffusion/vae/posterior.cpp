#include "domains/diffusion/vae/posterior.h"

#include <ATen/ops/clamp.h>
#include <ATen/ops/expm1.h>

#include <cmath>
#include <numbers>

#include "core/moe/precision.h"

namespace switchyard {
namespace {

at::Tensor half_sum(const at::Tensor& x) { return .5 * x.flatten(1).sum(1); }

}  // namespace

VaePosterior::VaePosterior(const at::Tensor& moments, LogvarRange range) {
  check(moments.dim() == 4 && moments.size(1) % 2 == 0 && moments.size(1) > 0, "VAE posterior",
        "moments: got ", to_text(moments.sizes().vec()), ", expected [B, 2z, h, w]");
  const auto halves = moments.to(score_type(moments)).chunk(2, 1);
  mean_ = halves[0];
  logvar_ = at::clamp(halves[1], range.low, range.high);
}

at::Tensor VaePosterior::var() const { return logvar_.exp(); }

at::Tensor VaePosterior::std() const { return (.5 * logvar_).exp(); }

at::Tensor VaePosterior::sample(const at::Tensor& noise) const {
  check(noise.sizes() == mean_.sizes(), "VAE posterior", "noise: got ",
        to_text(noise.sizes().vec()), ", expected ", to_text(mean_.sizes().vec()));
  return mean_ + std() * noise;
}

at::Tensor VaePosterior::kl() const {
  return half_sum(mean_.square() + (at::expm1(logvar_) - logvar_));
}

at::Tensor VaePosterior::kl(const VaePosterior& other) const {
  const auto ratio = logvar_ - other.logvar_;
  return half_sum((mean_ - other.mean_).square() / other.var() + (at::expm1(ratio) - ratio));
}

at::Tensor VaePosterior::nll(const at::Tensor& x) const {
  const double constant = std::log(2 * std::numbers::pi);
  return half_sum(constant + logvar_ + (x - mean_).square() / var());
}

}  // namespace switchyard
