#pragma once
// Linear experts that are few and narrow, with all their weights in shared memory: every tile of
// tokens goes through all of them, and the sum over a token's slots never leaves registers. The
// work of the slots that a token has not costs less than writing and reading its rows. GPU only.

#include "core/kernels/expert_path.h"

namespace switchyard {

/// Half types, at most 64 channels in and out and 12 experts, and at least an eighth of all pairs
/// of a token and an expert in use.
bool linear_mix_fits(const ExpertSetting& setting, const Assignment& assignment);

/// As expert_linear(), without a gradient. weight [A] float.
at::Tensor linear_mix(const at::Tensor& x_TC, const ExpertWeights& experts,
                      const Assignment& assignment);

}  // namespace switchyard
