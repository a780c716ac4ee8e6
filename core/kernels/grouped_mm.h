#pragma once
// Matrix products of contiguous row groups with one weight per group: the core of the expert layer.
// bfloat16 on a GPU with all widths a multiple of 8 runs as one at::_grouped_mm; everything else as
// a loop of products over the groups (on a GPU that reads the offsets back once).

#include <ATen/core/Tensor.h>

#include <vector>

namespace switchyard {

/// Row groups: group e owns rows [offset[e], offset[e+1]).
class RowGroups {
 public:
  /// slot_offset [E+1] i64.
  explicit RowGroups(at::Tensor slot_offset) : offset_(std::move(slot_offset)) {}
  const std::vector<int64_t>& host();  ///< read back at most once
  const at::Tensor& ends();            ///< [E] i32 on the device

 private:
  at::Tensor offset_, ends_;
  std::vector<int64_t> host_;
};

/// x [A, K], weight [E, N, K] -> [A, N]: x_e weight_e^T, plus bias [E, N] if defined.
at::Tensor grouped_linear(const at::Tensor& x_AK, const at::Tensor& weight_ENK,
                          const at::Tensor& bias_EN, RowGroups& groups);
/// dy [A, N], weight [E, N, K] -> [A, K]: dy_e weight_e.
at::Tensor grouped_linear_dx(const at::Tensor& dy_AN, const at::Tensor& weight_ENK,
                             RowGroups& groups);
/// dy [A, N], x [A, K] -> [E, N, K]: dy_e^T x_e; zeros for an empty group.
at::Tensor grouped_linear_dw(const at::Tensor& dy_AN, const at::Tensor& x_AK, RowGroups& groups);
/// dy [A, N] -> [E, N]: column sums of each group, in the type of dy.
at::Tensor grouped_sum(const at::Tensor& dy_AN, RowGroups& groups);

}  // namespace switchyard
