#pragma once

#include "core/golden/rule.h"

namespace switchyard {

/// The set promoe: networks, routing, rectified flow.
GoldenSet promoe_golden_set();
/// The set diffusion: VAE, DDPM, flow samplers, metrics, images, averages of weights.
GoldenSet diffusion_golden_set();

}  // namespace switchyard
