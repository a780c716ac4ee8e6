#include "eval/metrics/prdc.h"

#include "tests/eval/metrics/made_features.h"
#include "tests/test.h"

using namespace switchyard;
using namespace switchyard::test;

namespace {

at::Tensor line(std::vector<double> x) { return at::tensor(x, at::kDouble).unsqueeze(1); }

}  // namespace

TEST_CASE("balls on a line: closed and open rules differ on ties", "[metrics]") {
  const at::Tensor real = line({0, 1, 3}), fake = line({2, -1});
  CHECK(neighbour_radius2(real, 1).equal(at::tensor({1., 1., 4.}, at::kDouble)));
  CHECK(neighbour_radius2(fake, 1).equal(at::tensor({9., 9.}, at::kDouble)));
  const Prdc closed = prdc(real, fake, 1, Ball::Closed), open = prdc(real, fake, 1, Ball::Open);
  CHECK(closed.balls_per_fake.equal(at::tensor({2, 1}, at::kLong)));
  CHECK(open.balls_per_fake.equal(at::tensor({1, 0}, at::kLong)));
  CHECK(closed.precision == 1);
  CHECK(open.precision == .5);
  CHECK(closed.recall == 1);
  CHECK(open.density == .5);
  CHECK(closed.coverage == 1);
  CHECK(open.coverage == Approx(1. / 3));
}

TEST_CASE("identical sets score 1, distant sets 0, a translation of both changes nothing",
          "[metrics]") {
  const at::Tensor a = normal_features(60, 4, 1), b = normal_features(50, 4, 2, .5);
  const Prdc same = prdc(a, a, 3, Ball::Closed);
  CHECK(same.precision == 1);
  CHECK(same.recall == 1);
  CHECK(same.coverage == 1);
  CHECK(same.balls_per_fake.sum().item<int64_t>() == 60 * 4);
  const Prdc far = prdc(a, a + 100, 3, Ball::Closed);
  CHECK(far.precision + far.recall + far.density + far.coverage == 0);
  const Prdc here = prdc(a, b, 3, Ball::Closed), there = prdc(a + 2, b + 2, 3, Ball::Closed);
  CHECK(here.precision == there.precision);
  CHECK(here.recall == there.recall);
  const Prdc swapped = prdc(b, a, 3, Ball::Closed);
  CHECK(here.precision == swapped.recall);
}

TEST_CASE("the blocks of a large set join without a seam", "[metrics]") {
  const at::Tensor real = normal_features(5000, 2, 1), fake = normal_features(7000, 2, 2);
  const Prdc scores = prdc(real, fake, 3, Ball::Closed);
  CHECK(scores.balls_per_fake.size(0) == 7000);
  const at::Tensor last = fake.slice(0, 6999);
  const at::Tensor distance2 = (real - last).to(at::kDouble).square().sum(1);
  const auto inside = (distance2 <= neighbour_radius2(real, 3)).sum().item<int64_t>();
  CHECK(scores.balls_per_fake[6999].item<int64_t>() == inside);
}

TEST_CASE("bad input of precision and recall is named", "[metrics]") {
  const at::Tensor a = normal_features(5, 3, 1);
  const auto error = [](const at::Tensor& x, const at::Tensor& y, int64_t k) {
    return error_of([&] { prdc(x, y, k, Ball::Closed); });
  };
  CHECK(error(a, a, 5).find("got 5, expected 1 to 4") != std::string::npos);
  CHECK(error(a, a.slice(0, 0, 1), 1).find("expected 1 to 0") != std::string::npos);
  CHECK(error(a, a.slice(1, 0, 2), 1).find("widths") != std::string::npos);
  CHECK(error(a / 0, a, 1).find("not finite") != std::string::npos);
}
