#pragma once
// The adaptive layer norm of transformers (adaLN-zero: Peebles, Xie, ICCV 2023), fused with the
// gated residual sum before it: one pass over the residual stream instead of six.

#include <ATen/core/Tensor.h>

namespace switchyard {

/// A residual stream whose last branch is not added yet: its value is x + gate * branch.
struct ResidualStream {
  at::Tensor x_BNC;
  at::Tensor branch_BNC = {};  ///< undefined: the value is x
  at::Tensor gate_BC = {};     ///< defined where the branch is

  at::Tensor value() const;
};

struct Modulated {
  at::Tensor x_BNC;    ///< the stream's value, of its type
  at::Tensor out_BNC;  ///< LN(x) (1 + scale) + shift
};

/// LN runs over C, without weights, its statistics in float (double for double). shift, scale and
/// gate [B, C] of any floating type. `type` of the branch and the result: that of x, or a half type
/// where x is float. Gradients are summed in a fixed order: equal bits on every run.
/// Errors: shapes, C no multiple of 4 or above 2048, types.
Modulated modulate(const ResidualStream& stream, const at::Tensor& shift_BC,
                   const at::Tensor& scale_BC, double eps, at::ScalarType type);

}  // namespace switchyard
