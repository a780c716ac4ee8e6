#include "domains/diffusion/flow_sampler.h"

#include <ATen/core/grad_mode.h>

namespace switchyard {
namespace {

template <class S>
void declare_path(Fields<S>& f) {
  int64_t S::*steps = &S::steps;
  double S::*shift = &S::sample_shift;
  f.add("steps", steps, "of the path from noise to sample", at_least(1));
  f.add("sample_shift", shift, "moves times towards noise, besides the objective's shift",
        at_least(1e-6));
  GuidanceParams::declare_guidance(f);
}

std::unique_ptr<Sampler> make_heun(const HeunParams& p, double shift) {
  const bool last_euler = p.last_step == "euler";
  return std::make_unique<FlowSampler>(
      p, shift,
      [last_euler](const at::Tensor& x, const at::Tensor& grid, const Velocity& velocity,
                   const FlowObserver& observe) {
        return heun(x, grid, velocity, last_euler, observe);
      });
}

}  // namespace

void EulerParams::declare(Fields<EulerParams>& f) { declare_path(f); }

void HeunParams::declare(Fields<HeunParams>& f) {
  declare_path(f);
  f.add("last_step", &HeunParams::last_step, "into time 0", Choices{{"euler", "heun"}});
}

FlowSampler::FlowSampler(const FlowSamplerParams& params, double shift, Method method)
    : guidance_(params),
      grid_(flow_grid(params.steps, params.sample_shift, shift)),
      method_(std::move(method)) {}

at::Tensor FlowSampler::sample(const ConditionalNetwork& network, const at::Tensor& start_BCSS,
                               const std::vector<RandomStream>& images,
                               const SamplerObserver& observe) const {
  const at::NoGradGuard no_grad;
  check_streams(start_BCSS, images);
  const auto velocity = [&](const at::Tensor& x, double t) {
    return guided_prediction(network, x, t, guidance_).narrow(1, 0, x.size(1));
  };
  return method_(start_BCSS, grid_, velocity,
                 [&](int64_t step, const at::Tensor& x, const at::Tensor&) {
                   if (observe) observe(step, kFlowTimes * grid_[step].item<double>(), x);
                 });
}

Registry<Sampler, double>& flow_samplers() {
  static Registry<Sampler, double> registry = [] {
    Registry<Sampler, double> all("sampler of flow");
    all.add<EulerParams>("euler", "Euler's method", [](const EulerParams& p, double shift) {
      return std::make_unique<FlowSampler>(p, shift, euler);
    });
    all.add<HeunParams>("heun", "Heun's method, of second order: two passes a step", make_heun);
    return all;
  }();
  return registry;
}

}  // namespace switchyard
