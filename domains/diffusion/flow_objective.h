#pragma once

#include "domains/diffusion/flow.h"
#include "domains/diffusion/objective.h"

namespace switchyard {

/// Rectified flow: mean squared error of the velocity.
class FlowObjective : public Objective {
 public:
  explicit FlowObjective(const FlowParams& params) : params_(params) {}

  at::Tensor error(const Denoiser& denoiser, const at::Tensor& z, const at::Tensor& noise,
                   const at::Tensor& u_B) const override;
  at::Tensor error_at(const Denoiser& denoiser, const at::Tensor& z, const at::Tensor& noise,
                      const at::Tensor& u_B) const override;
  std::string name() const override { return "flow"; }
  int64_t out_channels(int64_t in) const override { return in; }
  std::unique_ptr<Sampler> make_sampler(const ConfigNode& node,
                                        const std::string& what) const override;

 private:
  FlowParams params_;
};

}  // namespace switchyard
