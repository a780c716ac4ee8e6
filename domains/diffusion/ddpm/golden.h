#pragma once

#include "core/golden/golden.h"
#include "domains/diffusion/ddpm/process.h"

namespace switchyard::diffusion_golden {

/// The process that a case's config describes.
DdpmProcess ddpm_process(const Json& config);
DdpmProcess ddpm_process(const Json& config, DdpmPredict predict);

/// Kinds ddpm_* of the set diffusion.
void register_ddpm_kinds();
void register_ddpm_sample_kind();

}  // namespace switchyard::diffusion_golden
