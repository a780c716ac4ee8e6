#pragma once
// The activation between the products on the CPU, where it needs exponentials: blocks of rows that
// fit the cache, by torch's vectorised operators, which are several times faster than scalar code.

#include "core/kernels/expert_activation.h"

namespace switchyard {

/// gelu, gelu_tanh or silu in float or double on the CPU.
bool activates_by_blocks(const ExpertHidden& hidden);
/// As expert_activation(), into a.
void activate_blocks(const ExpertHidden& hidden, const at::Tensor& a);
/// As expert_activation_backward(), into `out`.
void activate_backward_blocks(const ExpertHidden& hidden, const at::Tensor& da,
                              const at::Tensor& weight_A, const ExpertActivationGrad& out);

}  // namespace switchyard
