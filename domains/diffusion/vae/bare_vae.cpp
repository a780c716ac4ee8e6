#include "domains/diffusion/vae/bare_vae.h"

#include "core/base/registry.h"

namespace switchyard {

VaeParams vae_params(const ConfigNode& model) {
  check_name(model.origin().text(), "autoencoder", split_type(model, "model").first, {"kl_vae"});
  const ConfigNode* moe = model.find("moe");
  check(!moe || moe->is_null() || moe->as_map("model.moe").empty(), "model.moe",
        "kl_vae has no mixture: expected moe=none");
  return parse_params<VaeParams>(model, "model", {"type", "moe"});
}

std::unique_ptr<AutoencoderKl> bare_vae(const ConfigNode& model) {
  return std::make_unique<AutoencoderKl>(vae_params(model));
}

}  // namespace switchyard
