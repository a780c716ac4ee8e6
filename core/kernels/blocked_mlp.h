#pragma once
// The experts on the CPU, narrow ones: blocks of rows go through both products while they are in
// the cache. Tasks of up to 4096 rows of one expert run side by side; the cut depends on shapes
// only, never on the number of threads, and sums run in fixed order.

#include "core/kernels/fused_mlp.h"
#include "core/kernels/grouped_mm.h"

namespace switchyard {

/// Float or double on the CPU, both weights of an expert at most 2^16 values.
bool blocked_mlp_fits(const ExpertSetting& setting);

/// As fused_mlp_rows(). z [A, N1] takes the pre-activation with its bias; undefined: not kept.
at::Tensor blocked_mlp_rows(const FusedMlpInput& input, const at::Tensor& z, RowGroups& groups);
/// As fused_mlp_backward(), with the z of the forward pass.
FusedMlpGrad blocked_mlp_backward(const FusedMlpInput& input, const at::Tensor& z,
                                  const at::Tensor& dy_TD, const at::Tensor& weight_A,
                                  RowGroups& groups);

}  // namespace switchyard
