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

TEST_CASE("schedules survive extreme lengths and refuse nonsense", "[train][schedule]") {
  for (const char* type : {"constant", "cosine", "one_cycle"}) {
    const Schedule one(of_type(type, [](ScheduleParams& p) { p.warmup_steps = 3; }), 1);
    CHECK(std::isfinite(one.at(0).lr_factor));
  }
  CHECK(parse_schedule(ConfigNode(std::string("cosine"))).type == "cosine");
  CHECK(error_of([] {
          parse_schedule(ConfigNode(std::string("cosin")));
        }).find("nearest: cosine") != std::string::npos);
  CHECK_THROWS_AS(Schedule({}, 0), Error);
}
