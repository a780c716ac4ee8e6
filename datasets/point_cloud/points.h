#pragma once
// Row-wise edits of point-cloud samples.

#include <string>

#include "datasets/dataset.h"

namespace switchyard {

/// Keeps the points `rows` [M] i64, in that order, in every tensor of the sample (all have N rows).
void take_points(Sample& sample, const at::Tensor& rows);

/// Keeps the points where `keep` [N] bool is true, in every tensor of the sample (all have N rows).
void keep_points(Sample& sample, const at::Tensor& keep);

/// Drops points whose coord or intensity is NaN or infinite. Returns their number; with `warn` a
/// warning names `where`.
int64_t drop_non_finite(Sample& sample, const std::string& where, bool warn);

}  // namespace switchyard
