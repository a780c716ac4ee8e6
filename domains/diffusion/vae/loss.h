#pragma once

#include "core/base/params.h"
#include "domains/diffusion/vae/posterior.h"

namespace switchyard {

struct VaeLossParams {
  std::string reconstruction = "l1_sum";  ///< mse_mean: over all elements; l1_sum: per image
  double kl_weight = 1e-6;

  static void declare(Fields<VaeLossParams>& f);
};

/// Scalars.
struct VaeLoss {
  at::Tensor reconstruction, kl, total;  ///< kl: mean over images, without its weight
};

/// reconstruction + kl_weight * KL of the posterior from the standard normal (Rombach et al. 2022,
/// without the perceptual and adversarial terms).
VaeLoss vae_loss(const VaeLossParams& params, const at::Tensor& reconstruction_BCHW,
                 const at::Tensor& image_BCHW, const VaePosterior& posterior);

}  // namespace switchyard
