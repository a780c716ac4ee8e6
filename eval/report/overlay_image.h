#pragma once

#include "eval/report/sampling.h"

namespace switchyard {

/// Figure 11c as one picture, u8 [H, W, 3], for samples/overlay.png: of at most six traced pictures
/// (the domains in turn) a row per MoE layer; left the finished picture, then its patches in the
/// colours of their first-choice experts from noise to clean. Undefined where no pass was traced.
at::Tensor overlay_image(const Sampling& sampling);

}  // namespace switchyard
