#include "domains/diffusion/vae/loss.h"

#include <ATen/ops/l1_loss.h>
#include <ATen/ops/mse_loss.h>

#include "core/moe/precision.h"

namespace switchyard {

void VaeLossParams::declare(Fields<VaeLossParams>& f) {
  f.add("reconstruction", &VaeLossParams::reconstruction,
        "mse_mean: squares, mean over all elements; l1_sum: absolute values, sum per image",
        Choices{{"mse_mean", "l1_sum"}});
  f.add("kl_weight", &VaeLossParams::kl_weight, "of the divergence per image, in nats",
        at_least(0));
}

VaeLoss vae_loss(const VaeLossParams& p, const at::Tensor& reconstruction, const at::Tensor& image,
                 const VaePosterior& posterior) {
  const auto wanted = image.to(score_type(image)), got = reconstruction.to(wanted.scalar_type());
  VaeLoss out;
  out.reconstruction = p.reconstruction == "mse_mean"
                           ? at::mse_loss(got, wanted)
                           : at::l1_loss(got, wanted, at::Reduction::Sum) / wanted.size(0);
  out.kl = posterior.kl().mean();
  out.total = out.reconstruction + p.kl_weight * out.kl;
  return out;
}

}  // namespace switchyard
