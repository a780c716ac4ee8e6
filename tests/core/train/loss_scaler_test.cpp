#include "tests/test.h"

#include "core/io/json.h"
#include "core/train/loss_scaler.h"
#include "tests/core/train/toy_task.h"

using namespace switchyard;
using namespace switchyard::test;

TEST_CASE("the loss scale halves on overflow and doubles after 2000 good steps", "[train][fp16]") {
  LossScaler scaler;
  CHECK(scaler.scale() == 65536);
  scaler.update(false);
  CHECK(scaler.scale() == 32768);
  for (int i = 0; i < 1999; ++i) scaler.update(true);
  CHECK(scaler.scale() == 32768);
  CHECK(scaler.state().good_steps == 1999);
  scaler.update(true);
  CHECK(scaler.scale() == 65536);
  CHECK(scaler.state().good_steps == 0);
  for (int i = 0; i < 1999; ++i) scaler.update(true);
  scaler.update(false);  // an overflow starts the count anew
  CHECK(scaler.state().good_steps == 0);
}

TEST_CASE("the loss scale stays within a float and says when it is at its end", "[train][fp16]") {
  LossScaler top({std::ldexp(1.0, 127), 1999});
  top.update(true);
  CHECK(top.scale() == std::ldexp(1.0, 127));
  LossScaler low({2, 0});
  CHECK(low.can_back_off());
  low.update(false);
  CHECK_FALSE(low.can_back_off());
}

TEST_CASE("fp16 backs off from overflow, then trains like fp32", "[train][fp16]") {
  TempDir dir;
  auto half = toy_setup(dir / "half"), full = toy_setup(dir / "full");
  half.trainer.max_steps = full.trainer.max_steps = 200;
  half.trainer.precision = "fp16";
  const auto last = run_toy(half).last, reference = run_toy(full).last;
  // The first gradients of the toy exceed fp16's 65504 at the first scale.
  CHECK(last.at("skipped") >= 1);
  CHECK(last.at("loss_scale") == std::ldexp(65536.0, -static_cast<int>(last.at("skipped"))));
  CHECK(last.at("loss") == Approx(reference.at("loss")).epsilon(.25));
  CHECK(reference.count("loss_scale") == 0);
}

TEST_CASE("under fp16 a loss that is not finite still ends the run", "[train][fp16]") {
  TempDir dir;
  auto setup = toy_setup(dir / "run");
  setup.trainer.precision = "fp16";
  ToyTask task;
  task.bad_calls = {20, 21, 22};
  CHECK(error_of([&] { run_toy(setup, task); }).find("3 steps in a row") != std::string::npos);
}
