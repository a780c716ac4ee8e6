#pragma once
// The fast path of the expert layer: gather -> product -> activation -> product -> combine, one
// autograd function. Saves x, the pre-activation (unless fused) and the routing only; the gradient
// of an entry's weight comes from the activation, so expert outputs are not kept (DESIGN 4).

#include "core/moe/assignment.h"
#include "core/nn/activation.h"

namespace switchyard {

/// Stacked weights of E experts. N1 = 2H (gate rows first, then up) when gated, else H. Experts of
/// one linear map have no second layer: in is [E, D, C].
struct ExpertWeights {
  at::Tensor in_ENC;    ///< [E, N1, C]
  at::Tensor in_bias;   ///< [E, N1] or undefined
  at::Tensor out_EDH;   ///< [E, D, H]
  at::Tensor out_bias;  ///< [E, D] or undefined

  bool is_linear() const { return !out_EDH.defined(); }
  int64_t width() const { return is_linear() ? in_ENC.size(1) : out_EDH.size(1); }  ///< D
  int64_t hidden() const { return is_linear() ? 0 : out_EDH.size(2); }              ///< H
};

/// How the experts are computed. Fused: all in one kernel, hidden activations recomputed in the
/// backward pass (GPU, half types or float, at most 256 channels: see fused_mlp_fits). Blocked: on
/// the CPU block by block (blocked_mlp.h). Grouped: one product after the other over all experts.
/// Auto: see expert_path_of().
enum class ExpertPath { Auto, Grouped, Fused, Blocked };

/// x [T, C] -> [T, D]: sum over the slots of each token of weight * expert(x), in fixed order:
/// equal bits on every run. All floating tensors share one type: float, double, bfloat16 or half;
/// with half types assignment.weight may be float, which spares a copy.
/// Experts of one linear map have no activation. Once differentiable in x, weights, biases and
/// assignment.weight. Errors: shapes or types that do not fit each other or the path.
at::Tensor expert_mlp(const at::Tensor& x_TC, const ExpertWeights& experts,
                      const Assignment& assignment, Activation activation, bool gated,
                      ExpertPath path = ExpertPath::Auto);

}  // namespace switchyard
