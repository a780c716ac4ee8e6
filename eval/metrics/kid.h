#pragma once
// Kernel inception distance (Binkowski et al. 2018): squared maximum mean discrepancy under the
// kernel (gamma x.y + coef0)^degree, over subsets of both sets.

#include <ATen/core/Tensor.h>

#include <optional>

#include "core/base/random.h"

namespace switchyard {

struct KidKernel {
  int64_t degree = 3;
  double coef0 = 1;
  std::optional<double> gamma;  ///< none: 1 / dim
};

/// Unbiased is the usual KID (may be negative); Biased keeps the diagonals; UStatistic also leaves
/// out the pairs of equal position between the sets.
enum class KidEstimator { Unbiased, Biased, UStatistic };

/// Rows of `draws` subsets of `size` out of n, without repetition within one: [draws, size] i64.
/// Errors: more than n.
at::Tensor subset_draws(int64_t n, int64_t draws, int64_t size, RandomStream stream);

/// One estimate per draw: features a [N, D], b [M, D], rows of each subset index_a, index_b
/// [draws, m] i64 -> [draws] f64; KID is their mean, its spread their population standard
/// deviation. Errors: see feature_rows; two widths; subsets of two sizes or of fewer than two.
at::Tensor kid(const at::Tensor& a_ND, const at::Tensor& b_MD, const at::Tensor& index_a,
               const at::Tensor& index_b, KidEstimator estimator = KidEstimator::Unbiased,
               const KidKernel& kernel = {});

}  // namespace switchyard
