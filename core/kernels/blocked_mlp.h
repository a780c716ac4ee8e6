#pragma once
// The experts on the CPU: blocks of rows go through both products while they are in the cache.
// Tasks of at least 1024 rows of one expert, or all it has, run side by side; the cut depends on
// shapes only, never on the number of threads, and sums run in fixed order.

#include "core/kernels/fused_mlp.h"
#include "core/kernels/grouped_mm.h"

namespace switchyard {

/// Float on the CPU; double where both weights of an expert have at most 2^16 values.
bool blocked_mlp_fits(const ExpertSetting& setting);

/// As fused_mlp_rows(). z [A, N1] takes the pre-activation with its bias; undefined: not kept.
at::Tensor blocked_mlp_rows(const FusedMlpInput& input, const at::Tensor& z, RowGroups& groups);
/// As fused_mlp_backward(), with the z of the forward pass.
FusedMlpGrad blocked_mlp_backward(const FusedMlpInput& input, const at::Tensor& z,
                                  const at::Tensor& dy_TD, const at::Tensor& weight_A,
                                  RowGroups& groups);

}  // namespace switchyard
