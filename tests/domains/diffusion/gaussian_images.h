#pragma once
// Images whose pixels are independent Gaussians: the best prediction is known in closed form.

#include <cmath>

#include "domains/diffusion/ddpm/process.h"
#include "domains/diffusion/guidance.h"

namespace switchyard::test {

struct GaussianImages {
  double mean = .4, deviation = .5;

  double variance_at(double signal, double noise) const {
    return signal * signal * deviation * deviation + noise * noise;
  }
  /// E(noise | x), x = signal image + noise_scale noise.
  at::Tensor eps(const at::Tensor& x, double signal, double noise) const {
    return noise / variance_at(signal, noise) * (x - signal * mean);
  }
  /// E(image | x).
  at::Tensor image(const at::Tensor& x, double signal, double noise) const {
    const double share = signal * deviation * deviation / variance_at(signal, noise);
    return mean + share * (x - signal * mean);
  }

  /// Knows nothing of conditions; all rows at one time.
  ConditionalNetwork velocity() const {
    return [*this](const at::Tensor& x, const at::Tensor& t, const at::Tensor&) {
      const double sigma = t[0].item<double>() / 1000;
      return eps(x, 1 - sigma, sigma) - image(x, 1 - sigma, sigma);
    };
  }
  /// For step `i` of a process.
  at::Tensor eps_at(const DdpmProcess& process, const at::Tensor& x, int64_t i) const {
    const double left = process.tables().alphas_cumprod[i].item<double>();
    return eps(x, std::sqrt(left), std::sqrt(1 - left));
  }
};

}  // namespace switchyard::test
