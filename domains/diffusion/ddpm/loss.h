#pragma once
// Training losses of DDPM (Ho et al. 2020; hybrid and variational ones: Nichol, Dhariwal 2021).

#include "domains/diffusion/ddpm/process.h"

namespace switchyard {

/// Mse: squared error of what is predicted; where the variance is learned, plus the variational
/// term with the mean held fixed. RescaledMse: that term times steps / 1000. RescaledKl: the
/// variational term alone, times steps.
enum class DdpmLossKind { Mse, RescaledMse, RescaledKl };

/// Of every image, [B]. mse and vb are undefined where the kind has none; vb is scaled as it enters
/// the total.
struct DdpmLoss {
  at::Tensor total, mse, vb;
};
/// `out`: the network's for x_t = process.noisy(x0, noise, t_B).
DdpmLoss ddpm_loss(const DdpmProcess& process, DdpmLossKind kind, const at::Tensor& out,
                   const at::Tensor& x0, const at::Tensor& noise, const at::Tensor& x_t,
                   const at::Tensor& t_B);

/// Term t of the variational bound in bits per dimension [B]: KL(q || p) for t > 0; at t = 0 the
/// negative log likelihood of x0 under p, integrated over x0 +- 1/255 with open tails beyond
/// +-0.999.
at::Tensor variational_term(const DdpmProcess& process, const ReverseStep& p, const at::Tensor& x0,
                            const at::Tensor& x_t, const at::Tensor& t_B);
/// KL(a || b) in bits per dimension [B].
at::Tensor gaussian_kl_bits(const Gaussian& a, const Gaussian& b);

}  // namespace switchyard
