#include "tests/test.h"

#include <cstring>
#include <fstream>

#include "core/io/file.h"
#include "core/io/tfrecord.h"
#include "core/train/event_log.h"
#include "tests/core/train/toy_task.h"

using namespace switchyard;
using namespace switchyard::test;
namespace fs = std::filesystem;

namespace {

fs::path event_file(const fs::path& run) { return run / "tb/events.out.tfevents.0.switchyard"; }

/// Serialised events; REQUIREs that the whole file is intact.
std::vector<std::string> events_of(const fs::path& run) {
  const std::string file = read_text(event_file(run));
  std::vector<std::string> out;
  const size_t read = walk_tfrecords(file, [&](std::string_view data) {
    out.emplace_back(data);
    return true;
  });
  REQUIRE(read == file.size());
  return out;
}

std::vector<int64_t> steps_of(const fs::path& run) {
  std::vector<int64_t> out;
  for (const auto& event : events_of(run)) out.push_back(step_of_event(event).value());
  return out;
}

}  // namespace

TEST_CASE("an event holds the bytes that TensorBoard reads", "[train][events]") {
  TempDir dir;
  EventLog(dir.path(), 0).write(300, {{"loss", .5}});
  const auto events = events_of(dir.path());
  REQUIRE(events.size() == 2);
  // wall_time is field 1 (nine bytes with its key), checked to be there and skipped.
  CHECK(events[0].substr(9) == std::string("\x10\x00\x1a\x0d"
                                           "brain.Event:2",
                                           17));
  CHECK(events[1][0] == '\x09');
  const std::string value("\x0a\x04loss\x15\x00\x00\x00\x3f", 11);  // tag, simple_value 0.5f
  CHECK(events[1].substr(9) == "\x10\xac\x02\x2a\x0d\x0a\x0b" + value);
}

TEST_CASE("step_of_event refuses what is no event", "[train][events]") {
  CHECK(step_of_event("") == 0);
  CHECK_FALSE(step_of_event("\x10").has_value());
  CHECK_FALSE(step_of_event("\x0a\x7fshort").has_value());
  CHECK_FALSE(step_of_event("\x0b").has_value());
}

TEST_CASE("a resumed run has every step once in its event file", "[train][events][resume]") {
  TempDir dir;
  auto setup = toy_setup(dir / "run");
  setup.trainer.stop_after = 20;
  setup.trainer.checkpoint_every = 12;
  run_toy(setup);
  // From the older checkpoint, and with a record that a kill cut off.
  std::ofstream(event_file(dir / "run"), std::ios::app) << "torn";
  setup.trainer.stop_after = 0;
  setup.resume = true;
  setup.resume_checkpoint = dir / "run/ckpt/step-00000012";
  run_toy(setup);
  const auto steps = steps_of(dir / "run");
  REQUIRE(steps.size() == 41);  // the version, then 1 .. 40
  for (int64_t i = 0; i <= 40; ++i) CHECK(steps[static_cast<size_t>(i)] == i);
}

TEST_CASE("trainer.tensorboard=false writes no event file", "[train][events]") {
  TempDir dir;
  auto setup = toy_setup(dir / "run");
  setup.trainer.max_steps = 2;
  setup.trainer.tensorboard = false;
  run_toy(setup);
  CHECK_FALSE(fs::exists(dir / "run/tb"));
}
