#pragma once
// The fast path of the expert layer: gather -> product -> activation -> product -> combine, one
// autograd function. Saves x, the pre-activation and the routing only; the gradient of an entry's
// weight comes from the activation, so expert outputs are not kept (DESIGN 4).

#include "core/moe/assignment.h"
#include "core/nn/activation.h"

namespace switchyard {

/// Stacked weights of E experts. N1 = 2H (gate rows first, then up) when gated, else H.
struct ExpertWeights {
  at::Tensor in_ENC;    ///< [E, N1, C]
  at::Tensor in_bias;   ///< [E, N1] or undefined
  at::Tensor out_EDH;   ///< [E, D, H]
  at::Tensor out_bias;  ///< [E, D] or undefined
};

/// x [T, C] -> [T, D]: sum over the slots of each token of weight * expert(x), in fixed order:
/// equal bits on every run. All floating tensors share one type: float, double or bfloat16. Once
/// differentiable in x, weights, biases and assignment.weight.
at::Tensor expert_mlp(const at::Tensor& x_TC, const ExpertWeights& experts,
                      const Assignment& assignment, Activation activation, bool gated);

}  // namespace switchyard
