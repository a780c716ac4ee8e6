#pragma once

namespace switchyard {

/// The kinds image_* of the golden set `diffusion`. Calling it again does nothing.
void register_image_golden();

}  // namespace switchyard
