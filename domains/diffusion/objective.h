#pragma once
// What a diffusion network is trained for: rectified flow or DDPM.

#include <ATen/core/Tensor.h>

#include "domains/diffusion/sampler.h"

namespace switchyard {

/// The network with its labels: noisy images x_BCSS at times t_B (0 .. 1000, of their dtype)
/// -> [B, >= out_channels(C), S, S].
using Denoiser = std::function<at::Tensor(const at::Tensor& x_BCSS, const at::Tensor& t_B)>;

class Objective {
 public:
  virtual ~Objective() = default;

  /// Loss of every image [B]. z, noise: [B, C, S, S]; u_B [B] f64 in (0, 1): quantiles of the
  /// objective's density of training times. Errors: a prediction of too few channels.
  virtual at::Tensor error(const Denoiser& denoiser, const at::Tensor& z, const at::Tensor& noise,
                           const at::Tensor& u_B) const = 0;
  /// The same where u_B is the time itself as a fraction: for evaluation at evenly spread times.
  virtual at::Tensor error_at(const Denoiser& denoiser, const at::Tensor& z,
                              const at::Tensor& noise, const at::Tensor& u_B) const = 0;
  virtual std::string name() const = 0;
  /// Channels that the network must predict at least for images of `in` channels.
  virtual int64_t out_channels(int64_t in) const = 0;
  /// Of this objective's process. Errors: an unknown type (with the valid ones), bad parameters.
  virtual std::unique_ptr<Sampler> make_sampler(const ConfigNode& node,
                                                const std::string& what) const = 0;
};

/// flow, ddpm.
Registry<Objective>& objectives();

}  // namespace switchyard
