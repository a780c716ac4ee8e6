#include "eval/metrics/confusion.h"

#include <ATen/ops/tensor.h>

#include "core/golden/golden.h"
#include "domains/point_cloud/golden.h"
#include "eval/metrics/golden.h"
#include "tests/test.h"

using namespace switchyard;
using namespace switchyard::test;

TEST_CASE("counts and scores agree with the published ones", "[metrics][golden]") {
  register_metric_golden();
  register_point_cloud_golden();  // the set
  CHECK(run_golden((data_dir() / "golden/point_moe").string(), {{"metrics"}}).ok());
}

TEST_CASE("ignored points count nowhere, bad classes are named", "[metrics]") {
  const auto ids = [](std::vector<int64_t> v) { return at::tensor(v, at::kLong); };
  Confusion confusion(3);
  confusion.add(ids({0, 1, 2, 2}), ids({0, 2, -1, 2}));
  CHECK(confusion.mean_iou() == Approx((1 + 0 + .5) / 3));
  CHECK(confusion.overall_accuracy() == Approx(2. / 3));
  CHECK(error_of([&] { confusion.add(ids({3}), ids({0})); }).find("got 3") != std::string::npos);
  CHECK(error_of([&] {
          confusion.add(ids({1, 1}), ids({0}));
        }).find("shapes") != std::string::npos);
}
