#include "domains/diffusion/golden.h"

#include "domains/diffusion/ddpm/golden.h"
#include "domains/diffusion/golden_parts.h"
#include "domains/diffusion/golden_set.h"
#include "routers/register.h"

namespace switchyard {

void register_diffusion_golden() {
  [[maybe_unused]] static const bool once = [] {
    register_routers();
    register_golden_set(promoe_golden_set());
    register_golden_set(diffusion_golden_set());
    diffusion_golden::register_module_kinds();
    diffusion_golden::register_net_kinds();
    diffusion_golden::register_flow_kinds();
    diffusion_golden::register_ddpm_kinds();
    return true;
  }();
}

}  // namespace switchyard
