#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

namespace switchyard {

enum class Reduction { Max, Mean, Min, Sum };
const std::vector<std::string>& reduction_names();
/// Errors: unknown name, with the valid ones.
Reduction reduction_from_name(const std::string& name);

/// y[m] = reduction over the members of segment m. x [N, C]; member [M, L] i64: rows of x, -1
/// behind the last member; every segment has at least one -> y [M, C]. Differentiable; of equal
/// largest (smallest) members the first in the list takes the gradient. Deterministic on CPU and
/// CUDA as long as no row has two segments. Errors: shapes or types that do not fit.
at::Tensor segment_reduce_rows(const at::Tensor& x_NC, const at::Tensor& member_ML,
                               Reduction reduction);

}  // namespace switchyard
