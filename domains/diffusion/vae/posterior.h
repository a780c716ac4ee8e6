#pragma once

#include <ATen/core/Tensor.h>

namespace switchyard {

/// Where a log variance is cut off; outside it has no gradient.
struct LogvarRange {
  double low = -30, high = 20;
};

/// Normal distribution of a latent with a diagonal covariance (Kingma, Welling 2014; diffusers'
/// DiagonalGaussianDistribution). Sums go over all axes but the first. Computed in max(fp32,
/// input).
class VaePosterior {
 public:
  /// `moments` [B, 2z, h, w]: mean, then log variance. Errors: no tensor of that shape.
  explicit VaePosterior(const at::Tensor& moments_B2ZHW, LogvarRange range = {});

  /// [B, z, h, w] each.
  const at::Tensor& mode() const { return mean_; }
  const at::Tensor& logvar() const { return logvar_; }
  at::Tensor var() const;
  at::Tensor std() const;
  /// mean + std * noise; noise [B, z, h, w] standard normal.
  at::Tensor sample(const at::Tensor& noise_BZHW) const;

  /// [B] nats, sums not means: divergence from the standard normal, or from `other`.
  at::Tensor kl() const;
  at::Tensor kl(const VaePosterior& other) const;
  /// [B] nats: -log density of `x` [B, z, h, w].
  at::Tensor nll(const at::Tensor& x_BZHW) const;

 private:
  at::Tensor mean_, logvar_;
};

}  // namespace switchyard
