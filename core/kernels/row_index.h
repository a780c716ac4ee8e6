#pragma once
// Moving rows by an index that is used several times. Its transpose is built with it, so that the
// gradient is a sum over a list instead of atomic adds.

#include <ATen/core/Tensor.h>

namespace switchyard {

/// index [A] i64 in 0 .. rows-1, with its transpose; the tensors lie on `device`.
class RowIndex {
 public:
  RowIndex() = default;
  /// Error: an index outside 0 .. rows-1, where `index_A` lies on the CPU (on a GPU not checked).
  RowIndex(const at::Tensor& index_A, int64_t rows, at::Device device);

  const at::Tensor& index() const { return index_; }        ///< [A]
  const at::Tensor& position() const { return position_; }  ///< [A]: entries sorted by their row
  const at::Tensor& offset() const { return offset_; }      ///< [rows + 1] into position
  int64_t rows() const { return offset_.size(0) - 1; }

 private:
  void transpose_on_cpu(int64_t rows);
  void transpose_on_device(int64_t rows);

  at::Tensor index_, position_, offset_;
};

/// x [rows, C] -> x[index] [A, C]. Differentiable; a row that is taken several times sums its
/// gradients in rising order, the same bits on every run. Floating dtypes, CPU and CUDA. Error: x
/// does not fit.
at::Tensor take_rows(const at::Tensor& x_NC, const RowIndex& index);

}  // namespace switchyard
