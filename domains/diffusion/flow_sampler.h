#pragma once
// Euler's and Heun's method along the path of rectified flow.

#include "domains/diffusion/flow.h"
#include "domains/diffusion/sampler.h"

namespace switchyard {

struct FlowSamplerParams : GuidanceParams {
  int64_t steps = 50;
  double sample_shift = 1;
};
struct EulerParams : FlowSamplerParams {
  static void declare(Fields<EulerParams>& f);
};
struct HeunParams : FlowSamplerParams {
  std::string last_step = "euler";
  static void declare(Fields<HeunParams>& f);
};

class FlowSampler : public Sampler {
 public:
  /// From noise to sample along a grid: euler(), heun().
  using Method = std::function<at::Tensor(at::Tensor x, const at::Tensor& grid,
                                          const Velocity& velocity, const FlowObserver& observe)>;
  /// `shift`: of the objective; both shifts apply.
  FlowSampler(const FlowSamplerParams& params, double shift, Method method);

  at::Tensor sample(const ConditionalNetwork& network, const at::Tensor& start_BCSS,
                    const std::vector<RandomStream>& images,
                    const SamplerObserver& observe = {}) const override;
  int64_t steps() const override { return grid_.size(0) - 1; }

 private:
  GuidanceParams guidance_;
  at::Tensor grid_;
  Method method_;
};

/// euler, heun; a factory gets the objective's shift.
Registry<Sampler, double>& flow_samplers();

}  // namespace switchyard
