#include "domains/diffusion/flow.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/special_ndtri.h>

#include <numbers>

#include "core/base/text.h"

namespace switchyard {
namespace {

at::Tensor per_image(const at::Tensor& value_B) { return value_B.view({-1, 1, 1, 1}); }

double at_step(const at::Tensor& grid, int64_t k) { return grid.const_data_ptr<double>()[k]; }

}  // namespace

void FlowParams::declare(Fields<FlowParams>& f) {
  f.add("density", &FlowParams::density, "of the training times",
        Choices{{"logit_normal", "mode", "uniform"}});
  f.add("logit_mean", &FlowParams::logit_mean, "mean of the normal draw");
  f.add("logit_std", &FlowParams::logit_std, "its deviation", at_least(0));
  f.add("sigmoid_scale", &FlowParams::sigmoid_scale, "factor before the sigmoid");
  f.add("mode_scale", &FlowParams::mode_scale, "scale of the mode density");
  f.add("shift", &FlowParams::shift, "moves times towards noise", at_least(1e-6));
}

at::Tensor logit_normal_u(const at::Tensor& normal, const FlowParams& p) {
  return (p.sigmoid_scale * (p.logit_mean + p.logit_std * normal)).sigmoid();
}

at::Tensor mode_u(const at::Tensor& uniform, const FlowParams& p) {
  const auto cosine = (uniform * (.5 * std::numbers::pi)).cos();
  return 1 - uniform - p.mode_scale * (cosine.square() - 1 + uniform);
}

at::Tensor density_u(const at::Tensor& uniform, const FlowParams& p) {
  const auto u = uniform.to(at::kDouble);
  if (p.density == "logit_normal") return logit_normal_u(at::special_ndtri(u), p);
  return p.density == "mode" ? mode_u(u, p) : u;
}

at::Tensor shifted(const at::Tensor& u, double shift) { return shift * u / (1 + (shift - 1) * u); }

FlowSample flow_sample(const at::Tensor& z, const at::Tensor& noise, const at::Tensor& sigma_B) {
  const auto sigma = per_image(sigma_B);
  return {(1 - sigma) * z + sigma * noise, noise - z, kFlowTimes * sigma_B};
}

at::Tensor flow_error(const at::Tensor& out, const at::Tensor& target) {
  check(out.dim() == 4 && out.size(1) >= target.size(1), "flow_error", "prediction: got ",
        to_text(out.sizes().vec()), " for a target of ", to_text(target.sizes().vec()));
  return (out.narrow(1, 0, target.size(1)) - target).square().flatten(1).mean(1);
}

at::Tensor flow_grid(int64_t steps, double sample_shift, double shift) {
  check(steps >= 1, "flow_grid", "steps: got ", steps, ", expected at least 1");
  const auto even = 1 - at::arange(steps + 1, at::kDouble) / static_cast<double>(steps);
  return shifted(shifted(even, sample_shift), shift);
}

at::Tensor euler(at::Tensor x, const at::Tensor& grid, const Velocity& velocity,
                 const FlowObserver& observe) {
  if (observe) observe(0, x, {});
  for (int64_t k = 0; k + 1 < grid.size(0); ++k) {
    const double here = at_step(grid, k), there = at_step(grid, k + 1);
    const auto v = velocity(x, kFlowTimes * here);
    x = x + (there - here) * v;
    if (observe) observe(k + 1, x, v);
  }
  return x;
}

at::Tensor heun(at::Tensor x, const at::Tensor& grid, const Velocity& velocity, bool last_euler,
                const FlowObserver& observe) {
  if (observe) observe(0, x, {});
  for (int64_t k = 0; k + 1 < grid.size(0); ++k) {
    const double here = at_step(grid, k), there = at_step(grid, k + 1);
    const auto v = velocity(x, kFlowTimes * here);
    auto next = x + (there - here) * v;
    if (!last_euler || k + 2 < grid.size(0))
      next = x + .5 * (there - here) * (v + velocity(next, kFlowTimes * there));
    x = next;
    if (observe) observe(k + 1, x, v);
  }
  return x;
}

}  // namespace switchyard
