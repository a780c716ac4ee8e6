#pragma once

#include <string>
#include <vector>

#include "core/kernels/row_index.h"

namespace switchyard {

enum class Reduction { Max, Mean, Min, Sum };
const std::vector<std::string>& reduction_names();
/// Errors: unknown name, with the valid ones.
Reduction reduction_from_name(const std::string& name);

/// Which rows make up which segment. member [M, L] i64: rows in 0 .. rows-1, -1 behind the last;
/// every segment has at least one. Errors, where it lies on the CPU: an empty segment, an index out
/// of range.
class Segments {
 public:
  Segments() = default;
  Segments(const at::Tensor& member_ML, int64_t rows, at::Device device);

  int64_t count() const { return present_ML_.size(0); }
  int64_t longest() const { return present_ML_.size(1); }
  /// [M*L]; a missing member is the segment's first.
  const RowIndex& members() const { return members_; }
  const at::Tensor& present() const { return present_ML_; }  ///< [M, L] bool, on the device

 private:
  RowIndex members_;
  at::Tensor present_ML_;
};

/// y[m] = reduction over the members of segment m, [N, C] -> [M, C]. Differentiable; of equal
/// largest (smallest) members the first in the list takes the gradient. The same bits on every run,
/// CPU and CUDA. Errors: shapes that do not fit.
at::Tensor segment_reduce_rows(const at::Tensor& x_NC, const Segments& segments,
                               Reduction reduction);

}  // namespace switchyard
