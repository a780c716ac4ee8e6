#include "domains/diffusion/vae/bare_vae.h"

namespace switchyard {

std::unique_ptr<AutoencoderKl> bare_vae(const ConfigNode& model) {
  return std::make_unique<AutoencoderKl>(parse_params<VaeParams>(model, "model", {"type"}));
}

}  // namespace switchyard
