#pragma once
// The experts one after the other in plain tensor operations: what the fused pass is tested
// against.

#include "core/kernels/expert_mlp.h"

namespace switchyard {

/// Operands of an expert layer; the floating ones of one type, the routing weight of
/// row_weight_type().
struct ExpertOperands {
  at::Tensor x_TC;
  ExpertWeights experts;
  Assignment assignment;
  Activation activation;
  bool gated;
};

/// x [rows, C] -> [rows, D]: one expert on every row, weight 1.
at::Tensor expert_rows(const ExpertOperands& operands, const at::Tensor& x, int64_t expert);
/// As expert_mlp(). Waits for the device.
at::Tensor expert_loop(const ExpertOperands& operands);

}  // namespace switchyard
