#pragma once
// The layer of experts that are one linear map each (Point-MoE, at the attention output
// projection): gather -> product -> combine, one autograd function. Saves x and the routing only.

#include "core/kernels/expert_mlp.h"

namespace switchyard {

/// As expert_mlp(), for experts without a second layer: the sum over the slots of each token of
/// weight * (in x + in_bias). Path: Auto, Grouped or Fused; then few narrow experts need no rows in
/// the forward pass (linear_mix.h), nor do assignments with exactly one entry of every token.
at::Tensor expert_linear(const at::Tensor& x_TC, const ExpertWeights& experts,
                         const Assignment& assignment, ExpertPath path = ExpertPath::Auto);

/// dweight of an entry from the bias of its slot: dy[token] . bias[slot], [A] token-major.
at::Tensor bias_dot(const at::Tensor& dy_TD, const at::Tensor& bias_ED, const Assignment& a);

}  // namespace switchyard
