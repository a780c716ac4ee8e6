#pragma once

#include "domains/diffusion/vae/autoencoder_kl.h"

namespace switchyard {

/// Parameters of a node `model` {type: kl_vae, ...}. Errors: another type, unknown key, a mixture.
VaeParams vae_params(const ConfigNode& model);
/// Its autoencoder. Errors: VaeParams::validate()'s too.
std::unique_ptr<AutoencoderKl> bare_vae(const ConfigNode& model);

}  // namespace switchyard
