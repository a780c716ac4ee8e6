#pragma once
// Walks along the reverse process: ancestral (Ho et al. 2020) and DDIM (Song et al. 2021).

#include "domains/diffusion/ddpm/bound.h"

namespace switchyard {

/// Draw of the k-th executed step, as large as the state; k = 0 is the highest step. Not asked at
/// the last step, which adds no noise.
using DdpmNoise = std::function<at::Tensor(int64_t k)>;
/// Called with the number of steps done, the state and the image that the last step pointed to
/// (undefined at the start).
using DdpmObserver = std::function<void(int64_t step, const at::Tensor& x, const at::Tensor& x0)>;

/// x_{t-1} drawn from p(x_{t-1} | x_t), from noise to image. `clip`: x0 into [-1, 1] at every step.
at::Tensor ancestral(const DdpmProcess& process, at::Tensor x, const DdpmModel& model,
                     const DdpmNoise& noise, bool clip, const DdpmObserver& observe = {});
/// `eta`: 0 a deterministic path, 1 as much noise as the ancestral walk of a fixed small variance.
/// eps is derived again from the (clipped) x0.
at::Tensor ddim(const DdpmProcess& process, at::Tensor x, const DdpmModel& model,
                const DdpmNoise& noise, double eta, bool clip, const DdpmObserver& observe = {});
/// The deterministic path from image to noise, step 0 first.
at::Tensor ddim_reverse(const DdpmProcess& process, at::Tensor x, const DdpmModel& model, bool clip,
                        const DdpmObserver& observe = {});

}  // namespace switchyard
