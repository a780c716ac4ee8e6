#include "eval/metrics/frechet.h"

#include <ATen/ops/linalg_eigh.h>
#include <ATen/ops/linalg_qr.h>
#include <ATen/ops/linalg_svdvals.h>

#include <cmath>
#include <limits>

#include "core/base/error.h"
#include "eval/metrics/features.h"

namespace switchyard {
namespace {

constexpr char kWhere[] = "frechet";
/// Covariances are stored in single precision at times: smaller negative eigenvalues are rounding.
constexpr double kNegative = 1e-4;

}  // namespace

GaussianFactor gaussian_factor(const at::Tensor& features_ND) {
  const at::Tensor x = feature_rows(features_ND, kWhere, 2);
  // From the first row on: where the mean is large beside the spread, its rounding would count.
  const at::Tensor away = x - x[0], shift = away.mean(0), mu = x[0] + shift;
  at::Tensor factor = (away - shift) / std::sqrt(static_cast<double>(x.size(0) - 1));
  if (x.size(0) > x.size(1)) factor = std::get<1>(at::linalg_qr(factor, "r"));
  return {mu, factor, factor.square().sum().item<double>()};
}

GaussianFactor gaussian_factor(const FeatureGaussian& gaussian, double offset) {
  check_gaussian(gaussian, kWhere);
  const at::Tensor sigma = gaussian.sigma_DD.to(at::kDouble);
  auto [values_D, vectors_DD] = at::linalg_eigh((sigma + sigma.t()) / 2);
  const double largest = values_D[-1].item<double>(), smallest = values_D[0].item<double>();
  check(smallest >= -kNegative * std::abs(largest), kWhere,
        "sigma is no covariance: got the eigenvalue ", smallest, " beside ", largest,
        ", expected none below 0");
  const double rounding =
      static_cast<double>(sigma.size(0)) * std::numeric_limits<double>::epsilon() * largest;
  const at::Tensor kept = values_D.masked_fill(values_D <= rounding, 0) + offset;
  return {gaussian.mu_D.to(at::kDouble), kept.sqrt().unsqueeze(1) * vectors_DD.t(),
          sigma.trace().item<double>()};
}

FrechetTerms frechet(const GaussianFactor& a, const GaussianFactor& b) {
  check_same_width(a.factor_RD, b.factor_RD, kWhere);
  const at::Tensor product = a.factor_RD.matmul(b.factor_RD.t());
  return {(a.mu_D - b.mu_D).square().sum().item<double>(), a.trace, b.trace,
          at::linalg_svdvals(product).sum().item<double>()};
}

}  // namespace switchyard
