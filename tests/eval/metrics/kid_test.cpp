#include "eval/metrics/kid.h"

#include <ATen/ops/arange.h>

#include <cmath>

#include "tests/eval/metrics/made_features.h"
#include "tests/test.h"

using namespace switchyard;
using namespace switchyard::test;

namespace {

at::Tensor all_rows(int64_t n) { return at::arange(n, at::kLong).unsqueeze(0); }

}  // namespace

TEST_CASE("KID of one feature agrees with the polynomial written out", "[metrics]") {
  const at::Tensor a = at::tensor({1., 2.}).unsqueeze(1), b = at::tensor({0., 3.}).unsqueeze(1);
  const auto k = [](double x, double y) { return std::pow(x * y + 1, 3); };
  const double cross = k(1, 0) + k(1, 3) + k(2, 0) + k(2, 3);
  const auto value = [&](KidEstimator estimator) {
    return kid(a, b, all_rows(2), all_rows(2), estimator).item<double>();
  };
  CHECK(value(KidEstimator::Unbiased) == Approx(k(1, 2) + k(0, 3) - cross / 2));
  CHECK(value(KidEstimator::UStatistic) == Approx(k(1, 2) + k(0, 3) - (k(1, 3) + k(2, 0))));
  CHECK(
      value(KidEstimator::Biased) ==
      Approx((k(1, 1) + k(2, 2) + 2 * k(1, 2) + k(0, 0) + k(3, 3) + 2 * k(0, 3)) / 4 - cross / 2));
}

TEST_CASE("KID is near 0 for one distribution and grows with distance", "[metrics]") {
  const at::Tensor a = normal_features(400, 5, 1);
  const auto value = [&](const at::Tensor& b) {
    const auto draws = [&](const char* side) {
      return subset_draws(400, 10, 100, RandomStream(0, side));
    };
    return kid(a, b, draws("a"), draws("b")).mean().item<double>();
  };
  CHECK(std::abs(value(normal_features(400, 5, 2))) < .05);
  CHECK(value(normal_features(400, 5, 2, 1)) > value(normal_features(400, 5, 2, .5)));
  CHECK(value(normal_features(400, 5, 2, .5)) > .2);
}

TEST_CASE("subsets repeat no row and depend on the stream alone", "[metrics]") {
  const at::Tensor rows = subset_draws(20, 3, 20, RandomStream(5, "kid"));
  for (int64_t d = 0; d < 3; ++d)
    CHECK(std::get<0>(rows[d].sort()).equal(at::arange(20, at::kLong)));
  CHECK(rows.equal(subset_draws(20, 3, 20, RandomStream(5, "kid"))));
  CHECK_FALSE(rows[0].equal(rows[1]));
}

TEST_CASE("bad input of KID is named", "[metrics]") {
  const at::Tensor a = normal_features(5, 3, 1);
  CHECK(error_of([&] { subset_draws(5, 1, 6, RandomStream(0, "")); }).find("2 to 5 samples") !=
        std::string::npos);
  CHECK(error_of([&] { kid(a, a, all_rows(6), all_rows(6)); }).find("got 0 to 5") !=
        std::string::npos);
  CHECK(error_of([&] { kid(a, a, all_rows(4), all_rows(5)); }).find("subsets: got [1, 4]") !=
        std::string::npos);
  CHECK(error_of([&] { kid(a, a.slice(1, 0, 2), all_rows(5), all_rows(5)); }).find("widths") !=
        std::string::npos);
}
