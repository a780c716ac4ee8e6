#pragma once
// Inputs of a timed MoE layer.

#include "core/bench/moe_shape.h"
#include "core/kernels/expert_mlp.h"

namespace switchyard {

struct MoeCase {
  MoeShape shape;
  Activation activation;
  at::Tensor x_TC;       ///< N(0, 1)
  at::Tensor logits_TE;  ///< float; the routing is softmax, top K, renormalised
  ExpertWeights experts;
  at::Tensor ends_E;  ///< where x is already in slot order, [A, C]: end of every slot's rows, i32

  /// Everything that takes a gradient.
  std::vector<at::Tensor> leaves() const;
};

/// [T, E] float on the CPU, with the K best slots of every token by `routing`:
/// `balanced`: every slot as many tokens as any other; `zipf`: slot e as often as 1 / (e + 1);
/// `one`: all tokens to the first K; else a .npy file, whole numbers [tokens, K or more], best
/// first, repeated as often as needed. Errors: the file does not fit.
at::Tensor routing_logits(const MoeShape& shape, const std::string& routing);

/// GELU in plain experts, SiLU in gated ones; weights N(0, .02), the same values on every call.
/// Leaves require gradients where `train`.
MoeCase make_moe_case(const MoeShape& shape, const std::string& routing, bool bias, bool train,
                      at::ScalarType type, at::Device device);

}  // namespace switchyard
