#pragma once

#include "domains/diffusion/vae/autoencoder_kl.h"

namespace switchyard {

/// The autoencoder of a node `model` {type: kl_vae, ...}. Errors: unknown key, a mixture,
/// VaeParams'.
std::unique_ptr<AutoencoderKl> bare_vae(const ConfigNode& model);

}  // namespace switchyard
