#pragma once
// Frechet distance of two Gaussians (Dowson and Landau 1982), as FID (Heusel et al. 2017) and sFID
// use it: |mu_a - mu_b|^2 + tr Sa + tr Sb - 2 tr (Sa Sb)^(1/2).

#include "eval/metrics/moments.h"

namespace switchyard {

/// A Gaussian by a factor F [R, D] of its covariance F^T F. tr (Sa Sb)^(1/2) is the sum of the
/// singular values of Fa Fb^T: no root of a rounded product, so exact for any rank.
struct GaussianFactor {
  at::Tensor mu_D, factor_RD;
  double trace = 0;
};

/// From features [N, D]: their centred rows / sqrt(n-1), reduced to D rows where there are more.
/// Exact also where n <= D. Errors: see feature_rows; fewer than two rows.
GaussianFactor gaussian_factor(const at::Tensor& features_ND);
/// From mean and covariance: eigenvalues below rounding count as 0. `offset` is added to the
/// covariance inside the root only, not to the trace, as published evaluators do with 1e-6 where
/// the plain root fails; the distance may then fall below 0 by 2 offset D. Errors: shapes, values
/// that are not finite, a matrix with clearly negative eigenvalues.
GaussianFactor gaussian_factor(const FeatureGaussian& gaussian, double offset = 0);

struct FrechetTerms {
  double mean_term = 0, trace_a = 0, trace_b = 0, trace_sqrt = 0;
  double distance() const { return mean_term + trace_a + trace_b - 2 * trace_sqrt; }
};
/// Errors: two widths.
FrechetTerms frechet(const GaussianFactor& a, const GaussianFactor& b);

}  // namespace switchyard
