#include "eval/metrics/frechet.h"

#include <ATen/ops/diag.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/linalg_qr.h>

#include <cmath>
#include <limits>

#include "eval/metrics/features.h"
#include "tests/eval/metrics/made_features.h"
#include "tests/test.h"

using namespace switchyard;
using namespace switchyard::test;

namespace {

at::Tensor doubles(std::vector<double> values) { return at::tensor(values, at::kDouble); }

double distance(const at::Tensor& a, const at::Tensor& b) {
  return frechet(gaussian_factor(a), gaussian_factor(b)).distance();
}

FeatureGaussian gaussian_of(const at::Tensor& features) {
  FeatureMoments moments;
  moments.update(features);
  return moments.compute();
}

bool close(const at::Tensor& a, const at::Tensor& b, double limit) {
  return (a - b).abs().max().item<double>() <= limit;
}

}  // namespace

TEST_CASE("Frechet distance of diagonal Gaussians is the sum over the axes", "[metrics]") {
  const FeatureGaussian a{doubles({0, 1, 5}), at::diag(doubles({4, 1, 0}))};
  const FeatureGaussian b{doubles({3, 1, 5}), at::diag(doubles({1, 9, 4}))};
  const auto terms = frechet(gaussian_factor(a), gaussian_factor(b));
  CHECK(terms.mean_term == Approx(9));
  CHECK(terms.trace_sqrt == Approx(2 * 1 + 1 * 3));
  CHECK(terms.distance() == Approx(9 + (2 - 1) * (2 - 1) + (1 - 3) * (1 - 3) + 4));
}

TEST_CASE("Frechet distance: identical sets, translation, rotation, symmetry", "[metrics]") {
  const int64_t n = GENERATE(40, 9);
  const at::Tensor a = normal_features(n, 12, 1), b = normal_features(30, 12, 2, .5, 2);
  CHECK(std::abs(distance(a, a)) < 1e-12);
  CHECK(distance(a, a + 2) == Approx(4 * 12));
  CHECK(distance(a, b) == Approx(distance(b, a)));
  CHECK(distance(a + 1e4, b + 1e4) == Approx(distance(a, b)).epsilon(1e-3));
  const auto rotation =
      std::get<0>(at::linalg_qr(normal_features(12, 12, 3).to(at::kDouble), "reduced"));
  const auto turned = [&](const at::Tensor& x) { return x.to(at::kDouble).matmul(rotation); };
  CHECK(distance(turned(a), turned(b)) == Approx(distance(a, b)).epsilon(1e-12));
}

TEST_CASE("statistics and features give one Frechet distance", "[metrics]") {
  const at::Tensor a = normal_features(50, 8, 1), b = normal_features(60, 8, 2, 1);
  const auto from_stats = frechet(gaussian_factor(gaussian_of(a)), gaussian_factor(gaussian_of(b)));
  CHECK(from_stats.distance() == Approx(distance(a, b)).epsilon(1e-12));
  const auto mixed = frechet(gaussian_factor(gaussian_of(a)), gaussian_factor(b));
  CHECK(mixed.distance() == Approx(distance(a, b)).epsilon(1e-12));
}

TEST_CASE("the offset enters the root only", "[metrics]") {
  const FeatureGaussian g{at::zeros({3}, at::kDouble), at::eye(3, at::kDouble)};
  const auto offset = gaussian_factor(g, 1e-3);
  CHECK(frechet(offset, offset).distance() == Approx(-2 * 3 * 1e-3));
}

TEST_CASE("moments of blocks merge into those of the whole", "[metrics]") {
  const at::Tensor x = normal_features(101, 6, 4, 1e4, .1);
  const FeatureGaussian whole = gaussian_of(x);
  const at::Tensor wide = x.to(at::kDouble);
  CHECK(close(whole.mu_D, wide.mean(0), 1e-9));
  CHECK(close(whole.sigma_DD, (wide - wide.mean(0)).t().matmul(wide - wide.mean(0)) / 100, 1e-12));
  FeatureMoments first, second;
  for (const auto& block : x.slice(0, 0, 70).split(9)) first.update(block);
  second.update(x.slice(0, 70));
  first.merge(second);
  first.merge({});
  CHECK(first.count() == 101);
  CHECK(close(first.compute().mu_D, whole.mu_D, 1e-11));
  CHECK(close(first.compute().sigma_DD, whole.sigma_DD, 1e-12));
  first.reset();
  CHECK(error_of([&] { first.compute(); }).find("got 0, expected at least 2") != std::string::npos);
}

TEST_CASE("sFID reads the first channels of maps", "[metrics]") {
  const at::Tensor maps = normal_features(5, 9 * 4, 1).reshape({5, 9, 2, 2});
  CHECK(spatial_rows(maps).equal(maps.slice(1, 0, 7).permute({0, 2, 3, 1}).reshape({5, 28})));
  CHECK(error_of([&] {
          spatial_rows(maps.slice(1, 0, 3));
        }).find("got 3 channels, expected at least 7") != std::string::npos);
  CHECK(error_of([&] { spatial_rows(maps[0]); }).find("[N, C, h, w]") != std::string::npos);
}

TEST_CASE("bad features and statistics are named", "[metrics]") {
  const at::Tensor a = normal_features(5, 3, 1);
  at::Tensor nan = a.clone();
  nan[1][2] = std::numeric_limits<float>::quiet_NaN();
  const auto error = [](const at::Tensor& x, const at::Tensor& y) {
    return error_of([&] { distance(x, y); });
  };
  CHECK(error(nan, a).find("got 1 values that are not finite") != std::string::npos);
  CHECK(error(a.slice(0, 0, 1), a).find("got 1, expected at least 2") != std::string::npos);
  CHECK(error(a, normal_features(5, 4, 1)).find("got 3 and 4") != std::string::npos);
  CHECK(error(a[0], a).find("expected [N, D]") != std::string::npos);
  FeatureMoments moments;
  moments.update(a);
  CHECK(error_of([&] { moments.update(normal_features(5, 4, 1)); }).find("got 4 after 3") !=
        std::string::npos);
  const FeatureGaussian negative{at::zeros({2}), at::diag(doubles({1, -1}))};
  CHECK(error_of([&] { gaussian_factor(negative); }).find("no covariance") != std::string::npos);
  const FeatureGaussian shape{at::zeros({2}), at::eye(3)};
  CHECK(error_of([&] { gaussian_factor(shape); }).find("[3, 3]") != std::string::npos);
}
