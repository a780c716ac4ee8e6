#include "eval/metrics/inception_score.h"

#include <ATen/ops/eye.h>

#include "tests/eval/metrics/made_features.h"
#include "tests/test.h"

using namespace switchyard;
using namespace switchyard::test;

TEST_CASE("inception score: certain classes, equal classes, one class", "[metrics]") {
  const at::Tensor certain = at::eye(8) * 1e4;
  CHECK(inception_scores(certain, {0, 8}).item<double>() == Approx(8));
  CHECK(inception_scores(at::zeros({8, 5}), {0, 8}).item<double>() == Approx(1));
  CHECK(inception_scores(certain.slice(0, 0, 1).expand({6, 8}), {0, 6}).item<double>() ==
        Approx(1));
}

TEST_CASE("inception score: a shift of logits and the order within a split do not matter",
          "[metrics]") {
  const at::Tensor logits = normal_features(30, 7, 1);
  const auto score = [](const at::Tensor& x) { return inception_scores(x, {0, 30}); };
  CHECK(score(logits + 3).item<double>() == Approx(score(logits).item<double>()).epsilon(1e-6));
  CHECK(score(logits.flip(0)).item<double>() == Approx(score(logits).item<double>()));
}

TEST_CASE("splits of the inception score", "[metrics]") {
  using Rows = std::vector<int64_t>;
  CHECK(chunk_boundaries(7, 3) == Rows{0, 3, 6, 7});
  CHECK(chunk_boundaries(6, 3) == Rows{0, 3, 6});
  CHECK(split_boundaries(7, 3) == Rows{0, 2, 4, 7});
  CHECK(inception_scores(normal_features(7, 2, 1), {0, 3, 6, 7}).size(0) == 3);
  CHECK(error_of([] { split_boundaries(5, 10); }).find("got 10, expected 1 to 5") !=
        std::string::npos);
  CHECK(error_of([] { chunk_boundaries(0, 10); }).find("got 0 samples") != std::string::npos);
  CHECK(error_of([] {
          inception_scores(at::zeros({4, 2}), {0, 2, 2, 4});
        }).find("rising") != std::string::npos);
  CHECK(error_of([] {
          inception_scores(at::zeros({4, 2}), {0, 3});
        }).find("expected 0 to 4") != std::string::npos);
}
