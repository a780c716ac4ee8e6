#include "eval/metrics/moments.h"

#include <ATen/ops/isfinite.h>

#include "core/base/error.h"
#include "eval/metrics/features.h"

namespace switchyard {
namespace {

constexpr char kWhere[] = "moments";

}  // namespace

void check_gaussian(const FeatureGaussian& gaussian, const std::string& where) {
  const at::Tensor &mu = gaussian.mu_D, &sigma = gaussian.sigma_DD;
  const bool square = mu.dim() == 1 && sigma.dim() == 2 && mu.size(0) > 0 &&
                      sigma.size(0) == mu.size(0) && sigma.size(1) == mu.size(0);
  check(square, where, "shapes: got mu ", to_text(mu.sizes().vec()), " and sigma ",
        to_text(sigma.sizes().vec()), ", expected [D] and [D, D]");
  check(at::isfinite(mu).all().item<bool>() && at::isfinite(sigma).all().item<bool>(), where,
        "mu and sigma: got values that are not finite, expected none");
}

void FeatureMoments::update(const at::Tensor& features_ND) {
  const at::Tensor x = feature_rows(features_ND, kWhere);
  FeatureMoments block;
  block.count_ = x.size(0);
  block.mean_D_ = x.mean(0);
  const at::Tensor centred = x - block.mean_D_;
  block.scatter_DD_ = centred.t().matmul(centred);
  merge(block);
}

void FeatureMoments::update(const FeatureGaussian& part) {
  check(part.count >= 2, kWhere, "statistics: got those of ", part.count,
        " samples, expected at least 2");
  check_gaussian(part, kWhere);
  FeatureMoments moments;
  moments.count_ = part.count;
  moments.mean_D_ = part.mu_D.to(at::kDouble);
  moments.scatter_DD_ = part.sigma_DD.to(at::kDouble) * static_cast<double>(part.count - 1);
  merge(moments);
}

void FeatureMoments::merge(const FeatureMoments& other) {
  if (other.count_ == 0) return;
  if (count_ == 0) {
    *this = other;
    return;
  }
  check(mean_D_.sizes() == other.mean_D_.sizes(), kWhere, "features of two widths: got ",
        other.mean_D_.size(0), " after ", mean_D_.size(0));
  const auto a = static_cast<double>(count_), b = static_cast<double>(other.count_);
  const at::Tensor step = other.mean_D_ - mean_D_;
  mean_D_ = mean_D_ + step * (b / (a + b));
  scatter_DD_ = scatter_DD_ + other.scatter_DD_ + step.outer(step) * (a * b / (a + b));
  count_ += other.count_;
}

FeatureGaussian FeatureMoments::compute() const {
  check(count_ >= 2, kWhere, "too few samples: got ", count_, ", expected at least 2");
  return {mean_D_, scatter_DD_ / static_cast<double>(count_ - 1), count_};
}

}  // namespace switchyard
