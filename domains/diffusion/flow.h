#pragma once
// Rectified flow (Liu et al. 2022; time densities and shift as in Esser et al. 2024 and ProMoE):
// x_t = (1 - sigma) z + sigma noise, target velocity noise - z, the network sees t = 1000 sigma.

#include <ATen/core/Tensor.h>

#include <functional>

#include "core/base/params.h"

namespace switchyard {

struct FlowParams {
  std::string density = "logit_normal";
  double logit_mean = 0, logit_std = 1, sigmoid_scale = 1, mode_scale = 1.29;
  double shift = 1;
  static void declare(Fields<FlowParams>& f);
};

constexpr double kFlowTimes = 1000;

/// Standard normal draws -> u in (0, 1): sigmoid(scale (mean + std n)).
at::Tensor logit_normal_u(const at::Tensor& normal, const FlowParams& params);
/// Uniform draws -> u of the mode density.
at::Tensor mode_u(const at::Tensor& uniform, const FlowParams& params);
/// Uniform draws -> u of the density that `params` name. In double.
at::Tensor density_u(const at::Tensor& uniform, const FlowParams& params);
/// shift u / (1 + (shift - 1) u).
at::Tensor shifted(const at::Tensor& u, double shift);

/// One noisy batch. z, noise [B, C, S, S]; sigma [B].
struct FlowSample {
  at::Tensor x, target, t;
};
FlowSample flow_sample(const at::Tensor& z, const at::Tensor& noise, const at::Tensor& sigma_B);
/// Mean squared error of every image [B] over the first C channels of `out` [B, >= C, S, S].
at::Tensor flow_error(const at::Tensor& out, const at::Tensor& target);

/// sigma_k of k = 0 .. steps, the last 0: 1 - k / steps, shifted by both. f64.
at::Tensor flow_grid(int64_t steps, double sample_shift, double shift);

/// Guided velocity at state x and time t (a number in 0 .. 1000).
using Velocity = std::function<at::Tensor(const at::Tensor& x, double t)>;
/// Called with the number of steps done, the state and the velocity that led to it (undefined at
/// the start).
using FlowObserver =
    std::function<void(int64_t step, const at::Tensor& x, const at::Tensor& velocity)>;
/// x += (sigma_{k+1} - sigma_k) v from noise to sample along `grid` (flow_grid).
at::Tensor euler(at::Tensor x, const at::Tensor& grid, const Velocity& velocity,
                 const FlowObserver& observe = {});
/// Heun's method: the mean of the velocities at both ends of a step. `last_euler`: the last step,
/// whose end is sigma 0, is a plain Euler step.
at::Tensor heun(at::Tensor x, const at::Tensor& grid, const Velocity& velocity, bool last_euler,
                const FlowObserver& observe = {});

}  // namespace switchyard
