#pragma once

namespace switchyard::diffusion_golden {

/// Kinds vae_module, vae_posterior and vae_full of the set diffusion.
void register_vae_kinds();

}  // namespace switchyard::diffusion_golden
