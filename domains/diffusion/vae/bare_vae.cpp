#include "domains/diffusion/vae/bare_vae.h"

namespace switchyard {

std::unique_ptr<AutoencoderKl> bare_vae(const ConfigNode& model) {
  const ConfigNode* moe = model.find("moe");
  check(!moe || moe->is_null() || moe->as_map("model.moe").empty(), "model.moe",
        "kl_vae has no mixture: expected moe=none");
  return std::make_unique<AutoencoderKl>(parse_params<VaeParams>(model, "model", {"type", "moe"}));
}

}  // namespace switchyard
