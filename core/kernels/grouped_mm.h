#pragma once
// Matrix products of contiguous row groups with one weight per group: the core of the expert layer.
// bfloat16 on a GPU with all widths a multiple of 8 runs as one at::_grouped_mm; on a GPU
// everything else is a loop of products over the groups (which reads the offsets back once). On the
// CPU narrow weights are cut into blocks of rows that run side by side, wide ones go group by
// group. The cut depends on shapes only, never on the number of threads.

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

  /// Rows begin .. begin+rows-1, all of one group.
  struct Block {
    int64_t group, begin, rows;
  };
  /// All rows in order, cut at `limit` rows and at every group border.
  const std::vector<Block>& blocks(int64_t limit);

 private:
  at::Tensor offset_, ends_;
  std::vector<int64_t> host_;
  std::vector<Block> blocks_;
  int64_t limit_ = 0;
};

/// x [A, K], weight [E, N, K] -> [A, N]: x_e weight_e^T.
at::Tensor grouped_linear(const at::Tensor& x_AK, const at::Tensor& weight_ENK, RowGroups& groups);
/// dy [A, N], weight [E, N, K] -> [A, K]: dy_e weight_e.
at::Tensor grouped_linear_dx(const at::Tensor& dy_AN, const at::Tensor& weight_ENK,
                             RowGroups& groups);
/// dy [A, N], x [A, K] -> [E, N, K]: dy_e^T x_e; zeros for an empty group.
at::Tensor grouped_linear_dw(const at::Tensor& dy_AN, const at::Tensor& x_AK, RowGroups& groups);
/// dy [A, N] -> [E, N]: column sums of each group, rows times weight [A] if defined, in the type of
/// dy.
at::Tensor grouped_sum(const at::Tensor& dy_AN, const at::Tensor& weight_A, RowGroups& groups);

}  // namespace switchyard
