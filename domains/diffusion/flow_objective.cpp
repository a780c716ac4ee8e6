#include "domains/diffusion/flow_objective.h"

#include "domains/diffusion/flow_sampler.h"

namespace switchyard {

at::Tensor FlowObjective::error(const Denoiser& denoiser, const at::Tensor& z,
                                const at::Tensor& noise, const at::Tensor& u_B) const {
  return error_at(denoiser, z, noise, shifted(density_u(u_B, params_), params_.shift));
}

at::Tensor FlowObjective::error_at(const Denoiser& denoiser, const at::Tensor& z,
                                   const at::Tensor& noise, const at::Tensor& u_B) const {
  const FlowSample batch = flow_sample(z, noise, u_B.to(z.options()));
  return flow_error(denoiser(batch.x, batch.t), batch.target);
}

std::unique_ptr<Sampler> FlowObjective::make_sampler(const ConfigNode& node,
                                                     const std::string& what) const {
  return flow_samplers().make(node, what, params_.shift);
}

}  // namespace switchyard
