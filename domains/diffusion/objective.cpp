#include "domains/diffusion/objective.h"

#include "domains/diffusion/ddpm/objective.h"
#include "domains/diffusion/flow_objective.h"

namespace switchyard {

Registry<Objective>& objectives() {
  static Registry<Objective> registry = [] {
    Registry<Objective> all("objective");
    all.add<FlowParams>("flow", "rectified flow: velocity of the straight path to the noise",
                        [](const FlowParams& p) { return std::make_unique<FlowObjective>(p); });
    all.add<DdpmParams>("ddpm", "denoising diffusion: the noise of discrete steps",
                        [](const DdpmParams& p) { return std::make_unique<DdpmObjective>(p); });
    return all;
  }();
  return registry;
}

}  // namespace switchyard
