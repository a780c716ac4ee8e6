#include "tests/test.h"

#include <cmath>
#include <numbers>

#include "core/train/schedule.h"

using namespace switchyard;
using namespace switchyard::test;

namespace {

template <class Edit>
ScheduleParams of_type(const char* type, Edit edit) {
  ScheduleParams params;
  params.type = type;
  edit(params);
  return params;
}

}  // namespace

TEST_CASE("OneCycle as torch: Point-MoE's recipe over 100 steps", "[train][schedule]") {
  const auto params = of_type("one_cycle", [](ScheduleParams& p) {
    p.pct_start = .05;
    p.div = 10;
    p.final_div = 1000;
  });
  const Schedule schedule(params, 100);
  // Rise over steps 0 .. 4, fall over steps 4 .. 99.
  CHECK(schedule.at(0).lr_factor == Approx(.1).epsilon(1e-12));
  CHECK(*schedule.at(0).beta1 == Approx(.95));
  CHECK(schedule.at(2).lr_factor == Approx(.55).epsilon(1e-12));
  CHECK(*schedule.at(2).beta1 == Approx(.90));
  CHECK(schedule.at(4).lr_factor == Approx(1).epsilon(1e-12));
  CHECK(*schedule.at(4).beta1 == Approx(.85));
  const double part = (50.0 - 4) / 95, half = (1 + std::cos(std::numbers::pi * part)) / 2;
  CHECK(schedule.at(50).lr_factor == Approx(1e-4 + (1 - 1e-4) * half).epsilon(1e-12));
  CHECK(*schedule.at(50).beta1 == Approx(.95 - .1 * half));
  CHECK(schedule.at(99).lr_factor == Approx(1e-4).epsilon(1e-9));
  CHECK(*schedule.at(99).beta1 == Approx(.95));
  CHECK(schedule.at(1000).lr_factor == schedule.at(99).lr_factor);
}

TEST_CASE("cosine with warm-up, and constant", "[train][schedule]") {
  const auto params = of_type("cosine", [](ScheduleParams& p) {
    p.warmup_steps = 4;
    p.min_factor = .1;
  });
  const Schedule cosine(params, 15);
  CHECK(cosine.at(0).lr_factor == Approx(.25));
  CHECK(cosine.at(3).lr_factor == 1);
  CHECK(cosine.at(4).lr_factor == 1);
  CHECK(cosine.at(9).lr_factor == Approx(.55));
  CHECK(cosine.at(14).lr_factor == Approx(.1));
  CHECK_FALSE(cosine.at(0).beta1.has_value());
  const Schedule constant(of_type("constant", [](ScheduleParams& p) { p.warmup_steps = 2; }), 5);
  CHECK(constant.at(0).lr_factor == .5);
  CHECK(constant.at(4).lr_factor == 1);
}

TEST_CASE("wsd: warm-up, stable, decay over the last share of the steps", "[train][schedule]") {
  const auto edit = [](ScheduleParams& p) {
    p.warmup_steps = 4;
    p.decay_share = .25;
    p.min_factor = .2;
  };
  const Schedule linear(of_type("wsd", edit), 16);  // decays in steps 12 .. 15
  CHECK(linear.at(0).lr_factor == .25);
  CHECK(linear.at(3).lr_factor == 1);
  CHECK(linear.at(11).lr_factor == 1);
  CHECK(linear.at(12).lr_factor == Approx(.8));
  CHECK(linear.at(13).lr_factor == Approx(.6));
  CHECK(linear.at(15).lr_factor == Approx(.2));
  CHECK(linear.at(99).lr_factor == Approx(.2));
  CHECK_FALSE(linear.at(12).beta1.has_value());
  auto params = of_type("wsd", edit);
  params.decay_shape = "sqrt";
  const Schedule root(params, 16);
  CHECK(root.at(11).lr_factor == 1);
  CHECK(root.at(12).lr_factor == Approx(.6));  // 1 - sqrt(1/4) = 1/2 of the way from .2 to 1
  CHECK(root.at(15).lr_factor == Approx(.2));
  params.decay_share = 0;
  CHECK(Schedule(params, 16).at(15).lr_factor == 1);
}

TEST_CASE("poly as torch's PolynomialLR, behind a warm-up", "[train][schedule]") {
  const auto square = of_type("poly", [](ScheduleParams& p) { p.power = 2; });
  const Schedule plain(square, 4);
  CHECK(plain.at(0).lr_factor == 1);
  CHECK(plain.at(1).lr_factor == Approx(.5625));
  CHECK(plain.at(2).lr_factor == Approx(.25));
  CHECK(plain.at(3).lr_factor == Approx(.0625));
  CHECK(plain.at(4).lr_factor == plain.at(3).lr_factor);
  auto params = square;
  params.warmup_steps = 2;
  params.min_factor = .1;
  const Schedule warm(params, 6);
  CHECK(warm.at(0).lr_factor == .5);
  CHECK(warm.at(2).lr_factor == 1);
  CHECK(warm.at(4).lr_factor == Approx(.1 + .9 * .25));
  // DeepLab's exponent 0.9 at half way: 2^-0.9.
  CHECK(Schedule(of_type("poly", [](ScheduleParams&) {}), 10).at(5).lr_factor ==
        Approx(.5358867312681466).epsilon(1e-12));
}

TEST_CASE("schedules survive extreme lengths and refuse nonsense", "[train][schedule]") {
  for (const char* type : {"constant", "cosine", "one_cycle", "wsd", "poly"}) {
    const Schedule one(of_type(type, [](ScheduleParams& p) { p.warmup_steps = 3; }), 1);
    CHECK(std::isfinite(one.at(0).lr_factor));
  }
  CHECK(parse_schedule(ConfigNode(std::string("cosine"))).type == "cosine");
  CHECK(error_of([] {
          parse_schedule(ConfigNode(std::string("cosin")));
        }).find("nearest: cosine") != std::string::npos);
  CHECK_THROWS_AS(Schedule({}, 0), Error);
}
