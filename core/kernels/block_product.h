#pragma once
// Products of blocks of rows on one CPU core. Floats run on oneDNN's kernels for small matrices
// (at::native::cpublas::brgemm): full speed from 16 rows up and on any vendor's widest vectors,
// which MKL (behind at::mm) keeps to Intel's. Doubles run on at::mm.

#include <ATen/core/Tensor.h>

namespace switchyard {

/// c [M, N] = a [M, K] b [K, N], or c += a b where `add`. All float or double, rows contiguous.
void multiply(const at::Tensor& a, const at::Tensor& b, at::Tensor c, bool add = false);

/// x w^T for blocks of about `rows` rows in all; w [N, K] contiguous.
class TransposedProduct {
 public:
  TransposedProduct(const at::Tensor& weight_NK, int64_t rows);
  /// x [R, K] -> y [R, N].
  void operator()(const at::Tensor& x_RK, at::Tensor y_RN) const;

 private:
  at::Tensor weight_NK_, weight_KN_;  ///< the second undefined where the rows are too few for it
  bool plain_;
};

/// Sum over blocks of about `rows` rows in all of dy^T x; written to sum [N, K] by finish().
class OuterSum {
 public:
  OuterSum(const at::Tensor& sum_NK, int64_t rows);
  void add(const at::Tensor& dy_RN, const at::Tensor& x_RK);
  void finish();

 private:
  at::Tensor sum_NK_, sum_KN_;  ///< the second undefined where the first takes the sums
  bool begun_ = false;
};

}  // namespace switchyard
