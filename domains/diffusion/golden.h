#pragma once

namespace switchyard {

/// Registers the golden sets promoe and diffusion with their kinds. Calling it again does nothing.
void register_diffusion_golden();

}  // namespace switchyard
