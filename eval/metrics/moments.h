#pragma once
// Mean and covariance of features that come in blocks.

#include <ATen/core/Tensor.h>

#include <string>

namespace switchyard {

/// A Gaussian fitted to features: mean [D] and covariance [D, D] (divisor n-1), f64.
struct FeatureGaussian {
  at::Tensor mu_D, sigma_DD;
  int64_t count = 0;
};
/// Errors at `where`: other shapes, values that are not finite.
void check_gaussian(const FeatureGaussian& gaussian, const std::string& where);

/// Running mean and scatter in double, combined as by Chan, Golub and LeVeque (1979), so a mean far
/// from 0 costs no digits. Accumulators of parts of a set merge into that of the whole.
class FeatureMoments {
 public:
  /// Features [N, D], any floating type and device. Errors: see feature_rows; another width than
  /// before.
  void update(const at::Tensor& features_ND);
  /// The statistics of a part of the set. Errors: shapes, fewer than two rows.
  void update(const FeatureGaussian& part);
  void merge(const FeatureMoments& other);
  /// Errors: fewer than two rows so far.
  FeatureGaussian compute() const;
  void reset() { *this = {}; }
  int64_t count() const { return count_; }

 private:
  int64_t count_ = 0;
  at::Tensor mean_D_, scatter_DD_;
};

}  // namespace switchyard
