#pragma once
// Ancestral and DDIM sampling of a network trained for DDPM.

#include "domains/diffusion/ddpm/objective.h"
#include "domains/diffusion/ddpm/sampling.h"

namespace switchyard {

struct AncestralParams : GuidanceParams {
  ConfigNode steps = ConfigNode(int64_t{250});
  bool clip = false;
  static void declare(Fields<AncestralParams>& f);
};
struct DdimParams : GuidanceParams {
  ConfigNode steps = ConfigNode(std::string("ddim50"));
  double eta = 0;
  bool clip = false;
  static void declare(Fields<DdimParams>& f);
};

class DdpmSampler : public Sampler {
 public:
  /// From noise to sample: ancestral(), ddim().
  using Method = std::function<at::Tensor(const DdpmProcess& process, const at::Tensor& x,
                                          const DdpmModel& model, const DdpmNoise& noise,
                                          const DdpmObserver& observe)>;
  DdpmSampler(const GuidanceParams& guidance, DdpmProcess process, Method method);

  at::Tensor sample(const ConditionalNetwork& network, const at::Tensor& start_BCSS,
                    const std::vector<RandomStream>& images,
                    const SamplerObserver& observe = {}) const override;
  int64_t steps() const override { return process_.steps(); }

 private:
  GuidanceParams guidance_;
  DdpmProcess process_;
  Method method_;
};

/// ancestral, ddim.
Registry<Sampler, const DdpmParams&>& ddpm_samplers();

}  // namespace switchyard
