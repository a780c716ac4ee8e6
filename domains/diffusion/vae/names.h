#pragma once

#include <string>

#include "core/io/safetensors.h"
#include "core/nn/module.h"

namespace switchyard {

/// Names of AutoencoderKL's tensors in CompVis' latent-diffusion:
/// "encoder.down.0.block.1.norm1.bias" for "encoder.down_blocks.0.resnets.1.norm1.bias". The
/// decoder's levels count from the finest.
std::string ldm_vae_name(const std::string& own, int64_t levels);
/// Names of older diffusers files: query, key, value, proj_attn in the attention.
std::string legacy_vae_name(const std::string& own);

/// The tensors of a file under the names of `views`, whichever of the three schemes it has. Of a
/// whole latent diffusion model only first_stage_model.* is kept; loss.* and model_ema.* of an
/// autoencoder's training are left out. Attention weights [C, C, 1, 1] become [C, C]. `note`: what
/// was done. Error: two names become one.
NamedTensors own_vae_names(const std::vector<ParamView>& views, int64_t levels,
                           const NamedTensors& tensors, std::string& note);
/// Own names under those of latent-diffusion, attention weights as 1 x 1 convolutions.
NamedTensors ldm_vae_names(const NamedTensors& tensors, int64_t levels);

}  // namespace switchyard
