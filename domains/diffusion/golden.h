#pragma once

namespace switchyard {

/// Registers the golden set promoe with its kinds. Calling it again does nothing.
void register_diffusion_golden();

}  // namespace switchyard
