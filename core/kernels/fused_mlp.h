#pragma once
// Experts of a MLP in one kernel: rows are gathered, multiplied, activated and multiplied again
// without leaving the chip; the backward pass recomputes the hidden activation. GPU only; the
// gradient is owned by expert_mlp, whose other path is the reference.

#include "core/kernels/expert_path.h"

namespace switchyard {

/// What the kernels take: bfloat16 or half on a GPU of compute capability 9.0, or float, without
/// tensor cores, on any; at most 256 channels in and out (gated 128), widths that are multiples of
/// 8, at most 1024 slots, and relu, gelu, gelu_tanh or silu between the layers.
bool fused_mlp_fits(const ExpertSetting& setting);

/// Whether they make use of an Assignment that has exactly one entry of every token.
bool fused_mlp_takes_once(at::ScalarType type);

/// Operands of the kernels, all contiguous; the index tensors as in Assignment, `once` too, where
/// they make use of it. Experts of one linear map have no activation.
struct FusedMlpInput {
  at::Tensor x_TC;
  ExpertWeights experts;
  at::Tensor token_of, slot_offset, entry, position, token_offset;
  Activation activation;
  bool gated;
  bool once = false;
};

/// [A, D], slot-major: the experts' outputs without the bias of the last layer.
at::Tensor fused_mlp_rows(const FusedMlpInput& input);
/// Where every token has exactly one entry: [T, D], weight [A] (float) times the
/// expert's output with `bias` [E, D], if defined, that of the last layer.
at::Tensor fused_mlp_once(const FusedMlpInput& input, const at::Tensor& weight_A,
                          const at::Tensor& bias_ED);

struct FusedMlpGrad {
  at::Tensor dx_TC;
  at::Tensor dweight;  ///< [A] token-major, float, without the bias of the second layer
  at::Tensor d_in, d_in_bias, d_out;
};
/// dy [T, D]; weight [A] token-major, float. Sums run in float and in fixed order.
FusedMlpGrad fused_mlp_backward(const FusedMlpInput& input, const at::Tensor& dy_TD,
                                const at::Tensor& weight_A);

}  // namespace switchyard
