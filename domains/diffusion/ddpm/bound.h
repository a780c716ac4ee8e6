#pragma once

#include <functional>

#include "domains/diffusion/ddpm/loss.h"

namespace switchyard {

/// The network's output for states x at step i of the process (0 .. steps()-1), the same for all.
using DdpmModel = std::function<at::Tensor(const at::Tensor& x, int64_t i)>;

/// The whole variational bound on -log p(x_0) in bits per dimension (Ho et al. 2020), with errors
/// of the image and of the noise at every step. [B, T], from the highest step down.
struct DdpmBound {
  at::Tensor vb, x0_mse, mse;
  at::Tensor prior_bpd, total_bpd;  ///< [B]
};
/// noise: [T, B, C, S, S], entry k for the k-th highest step.
DdpmBound ddpm_bound(const DdpmProcess& process, const DdpmModel& model, const at::Tensor& x0,
                     const at::Tensor& noise, bool clip);

}  // namespace switchyard
