#pragma once
// Rows between token order and slot order, with gradients: for experts of one's own in between.

#include <ATen/core/Tensor.h>

#include "core/moe/assignment.h"

namespace switchyard {

/// weight, token_offset, slot_of, slot_offset, token_of, position, entry: what route_top_k gives
/// behind the scores, route_top_p behind scores and choices. Error: another number of tensors.
Assignment assignment_of(at::TensorList routing);

/// x [T, C] -> [A, C], slot-major. Differentiable in x.
at::Tensor gather_tokens(const at::Tensor& x_TC, at::TensorList routing);
/// rows [A, D], slot-major -> [T, D]: every token's rows times their weights, added in fixed order.
/// Differentiable in the rows and the weights.
at::Tensor combine_tokens(const at::Tensor& rows_AD, at::TensorList routing);

}  // namespace switchyard
