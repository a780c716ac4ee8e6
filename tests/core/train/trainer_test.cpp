#include "tests/test.h"

#include <ATen/Context.h>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iostream>

#include "core/base/step_timer.h"
#include "core/io/file.h"
#include "core/io/json.h"
#include "core/train/checkpoint.h"
#include "core/train/checkpoint_store.h"
#include "core/train/metrics_log.h"
#include "core/train/progress.h"
#include "core/train/runtime.h"
#include "tests/core/train/toy_task.h"
#include "tests/support/fuzz.h"

using namespace switchyard;
using namespace switchyard::test;
namespace fs = std::filesystem;

namespace {

using Edit = std::function<void(TrainSetup&)>;

const std::vector<std::string> kExactFiles = {"metrics.jsonl",
                                              "metrics.csv",
                                              "ckpt/step-00000040/model.safetensors",
                                              "ckpt/step-00000040/optimizer.safetensors",
                                              "ckpt/step-00000040/ema.safetensors",
                                              "ckpt/step-00000040/state.json"};

void check_same_run(const fs::path& a, const fs::path& b) {
  for (const auto& name : kExactFiles) {
    INFO(name);
    REQUIRE(fs::exists(a / name) == fs::exists(b / name));
    if (fs::exists(a / name))
      CHECK((read_text(a / name) == read_text(b / name)));  // no bytes in the message
  }
}

/// 40 steps in one go against 20, resume, 40.
void check_resume_exact(const Edit& edit, const Edit& edit_resumed = {}) {
  TempDir dir;
  auto straight = toy_setup(dir / "straight"), broken = toy_setup(dir / "broken");
  edit(straight);
  edit(broken);
  run_toy(straight);
  broken.trainer.stop_after = 20;
  CHECK(run_toy(broken).step == 20);
  broken.resume = true;
  if (edit_resumed) edit_resumed(broken);
  CHECK(run_toy(broken).step == 40);
  check_same_run(dir / "straight", dir / "broken");
}

/// Starts this program again as the hidden case "train child" (fork alone and OpenMP do not mix).
pid_t start_child(const fs::path& folder, const char* mode) {
  std::fflush(nullptr);
  std::cout.flush();
  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  ::setenv("SWITCHYARD_CHILD_FOLDER", folder.c_str(), 1);
  ::setenv("SWITCHYARD_CHILD_MODE", mode, 1);
  std::freopen("/dev/null", "w", stdout);
  std::freopen("/dev/null", "w", stderr);
  ::execl("/proc/self/exe", "switchyard_tests", "train child", static_cast<char*>(nullptr));
  std::_Exit(3);
}

/// Until the log has a row behind the checkpoint of step 20, which resume must drop.
void wait_for_row_23(const fs::path& log) {
  for (int i = 0; i < 2000 && read_text(log).find("\"step\":23") == std::string::npos; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

void wait_for(const fs::path& path) {
  for (int i = 0; i < 2000 && !fs::exists(path); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  REQUIRE(fs::exists(path));
}

int status_of(pid_t pid) {
  int status = 0;
  ::waitpid(pid, &status, 0);
  return status;
}

std::string first_line_of(const fs::path& path) {
  const std::string text = read_text(path);
  return text.substr(0, text.find('\n'));
}

}  // namespace

TEST_CASE("train child", "[.]") {
  const fs::path folder = std::getenv("SWITCHYARD_CHILD_FOLDER");
  const std::string mode = std::getenv("SWITCHYARD_CHILD_MODE");
  auto setup = toy_setup(folder);
  setup.trainer.checkpoint_every = 5;
  ToyTask task;
  task.pause = std::chrono::milliseconds(mode == "slow" ? 10 : 0);
  if (mode == "full disk") {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{700, RLIM_INFINITY};  // less than model.safetensors
    setup.resume = true;
    setup.trainer.log_every = 1000;
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  try {
    const TrainResult result = run_toy(setup, task);
    std::_Exit(result.stopped ? kExitSaved : 0);
  } catch (const Error& error) {
    std::_Exit(std::string(error.what()).find("ckpt/step-00000015") != std::string::npos ? 1 : 4);
  }
}

TEST_CASE("resume is exact, bit for bit", "[train][resume]") {
  SECTION("plain") {
    check_resume_exact([](TrainSetup&) {});
  }
  SECTION("average, accumulation, clipping") {
    check_resume_exact([](TrainSetup& s) {
      s.trainer.ema_decay = .9;
      s.trainer.accumulate = 3;
      s.trainer.clip_norm = .5;
    });
  }
  SECTION("bf16") {
    check_resume_exact([](TrainSetup& s) { s.trainer.precision = "bf16"; });
  }
  SECTION("fp16, with the state of its loss scaler") {
    check_resume_exact([](TrainSetup& s) { s.trainer.precision = "fp16"; });
  }
  SECTION("without prefetch before, with prefetch after") {
    check_resume_exact([](TrainSetup& s) { s.trainer.prefetch = false; },
                       [](TrainSetup& s) { s.trainer.prefetch = true; });
  }
  SECTION("with evaluation and best checkpoint") {
    check_resume_exact([](TrainSetup& s) {
      s.trainer.eval_every = 4;
      s.trainer.best_metric = "score";
      s.evaluate = [](Task&, Module& model, int64_t step) {
        CHECK_FALSE(model.training());
        return Metrics{{"score", step == 28 ? 9.0 : 1.0 / static_cast<double>(step)}};
      };
    });
  }
  SECTION("overfit") {
    check_resume_exact([](TrainSetup& s) { s.trainer.overfit = 3; });
  }
}

TEST_CASE("the prefetch thread does not change a run", "[train]") {
  TempDir dir;
  auto with = toy_setup(dir / "with"), without = toy_setup(dir / "without");
  without.trainer.prefetch = false;
  run_toy(with);
  run_toy(without);
  check_same_run(dir / "with", dir / "without");
}

TEST_CASE("kill -9 in the middle, resume, the same files", "[train][resume]") {
  TempDir dir;
  run_toy(toy_setup(dir / "straight"));
  const pid_t pid = start_child(dir / "killed", "slow");
  wait_for(dir / "killed" / "ckpt" / "step-00000020");
  wait_for_row_23(dir / "killed" / "metrics.jsonl");
  ::kill(pid, SIGKILL);
  CHECK(WIFSIGNALED(status_of(pid)));
  CHECK_FALSE(fs::exists(dir / "killed" / "ckpt" / "step-00000040"));
  std::ofstream(dir / "killed" / "metrics.jsonl", std::ios::app) << "{\"step\": 2";  // a torn line
  auto setup = toy_setup(dir / "killed");
  setup.resume = true;
  CHECK(run_toy(setup).step == 40);
  check_same_run(dir / "straight", dir / "killed");
}

TEST_CASE("SIGTERM finishes the step, saves and gives 75", "[train][resume]") {
  TempDir dir;
  run_toy(toy_setup(dir / "straight"));
  const pid_t pid = start_child(dir / "stopped", "slow");
  wait_for(dir / "stopped" / "ckpt" / "step-00000005");
  ::kill(pid, SIGTERM);
  const int status = status_of(pid);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == kExitSaved);
  auto setup = toy_setup(dir / "stopped");
  setup.resume = true;
  run_toy(setup);
  check_same_run(dir / "straight", dir / "stopped");
}

TEST_CASE("a full disk while saving keeps the old checkpoint", "[train][checkpoint]") {
  TempDir dir;
  auto setup = toy_setup(dir / "run");
  setup.trainer.stop_after = 10;
  setup.trainer.log_every = 1000;
  run_toy(setup);
  const std::string before =
      read_text(dir / "run" / "ckpt" / "step-00000010" / "model.safetensors");
  const int status = status_of(start_child(dir / "run", "full disk"));
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 1);
  CHECK(CheckpointStore(dir / "run" / "ckpt").newest().filename() == "step-00000010");
  for (const auto& entry : fs::directory_iterator(dir / "run" / "ckpt")) {
    CHECK(entry.path().filename().string().find("tmp") == std::string::npos);
  }
  CHECK(read_text(dir / "run" / "ckpt" / "step-00000010" / "model.safetensors") == before);
}

TEST_CASE("checkpoints: last two and the best are kept", "[train][checkpoint]") {
  TempDir dir;
  auto setup = toy_setup(dir / "run");
  setup.trainer.checkpoint_every = 5;
  setup.trainer.eval_every = 10;
  setup.trainer.best_metric = "score";
  setup.trainer.best_mode = "min";
  setup.evaluate = [](Task&, Module&, int64_t step) {
    return Metrics{{"score", step == 20 ? -1.0 : 1.0}};
  };
  run_toy(setup);
  CHECK(CheckpointStore(dir / "run" / "ckpt").steps() == std::vector<int64_t>{20, 35, 40});
  CHECK(fs::read_symlink(dir / "run" / "ckpt" / "best") == "step-00000020");
  ToyModel model;
  CHECK(load_weights(model, dir / "run" / "ckpt" / "best").matched == 5);
}

TEST_CASE("a damaged newest checkpoint is named and the one before offered",
          "[train][checkpoint]") {
  TempDir dir;
  auto setup = toy_setup(dir / "run");
  setup.trainer.checkpoint_every = 5;
  run_toy(setup);
  const auto file = dir / "run" / "ckpt" / "step-00000040" / "optimizer.safetensors";
  std::string bytes = read_text(file);
  bytes[bytes.size() - 3] ^= 1;
  write_text(file, bytes);
  setup.resume = true;
  setup.trainer.max_steps = 45;
  const std::string message = error_of([&] { run_toy(setup); });
  CHECK(message.find("step-00000040/optimizer.safetensors") != std::string::npos);
  CHECK(message.find("resume=" + (dir / "run" / "ckpt" / "step-00000035").string()) !=
        std::string::npos);
  setup.resume_checkpoint = dir / "run" / "ckpt" / "step-00000035";
  CHECK(run_toy(setup).step == 45);
  CHECK(read_checkpoint(dir / "run" / "ckpt" / "step-00000045").total_steps == 40);
  CHECK(fs::exists(dir / "run" / "ckpt" / "step-00000040.discarded"));
  fs::remove(dir / "run" / "ckpt" / "step-00000045" / "state.json");
  setup.resume_checkpoint.clear();
  CHECK(error_of([&] { run_toy(setup); }).find("state.json") != std::string::npos);
}

TEST_CASE("a damaged state.json never does more than throw an Error", "[train][checkpoint][fuzz]") {
  TempDir dir;
  auto setup = toy_setup(dir / "run");
  setup.trainer.stop_after = 2;
  run_toy(setup);
  const auto folder = dir / "run" / "ckpt" / "step-00000002";
  CHECK(refusals(
            folder / "state.json", [&] { read_checkpoint(folder); }, 300) > 50);
}

TEST_CASE("resume refuses another config, seed or data, naming the key", "[train][resume]") {
  TempDir dir;
  const auto config = [](int64_t max_steps, double lr) {
    return ConfigNode(ConfigNode::Map{
        {"trainer", ConfigNode(ConfigNode::Map{{"max_steps", ConfigNode(max_steps)}})},
        {"optimizer", ConfigNode(ConfigNode::Map{{"lr", ConfigNode(lr)},
                                                 {"groups", ConfigNode(ConfigNode::List{})}})}});
  };
  auto setup = toy_setup(dir / "run");
  setup.config = config(40, .02);
  setup.trainer.stop_after = 10;
  run_toy(setup);
  CHECK(error_of([&] { run_toy(setup); }).find("holds a run already") != std::string::npos);
  setup.resume = true;
  setup.config = config(50, .03);
  CHECK(error_of([&] {
          run_toy(setup);
        }).find("optimizer.lr cannot change on resume: got 0.03, expected 0.02") !=
        std::string::npos);
  setup.config = config(50, .02);
  setup.seed = 12;
  CHECK(error_of([&] { run_toy(setup); }).find("seed cannot change") != std::string::npos);
  setup.seed = 11;
  CHECK(run_toy(setup).step == 40);
}

TEST_CASE("a step that is not finite is skipped; three in a row end the run", "[train][nan]") {
  TempDir dir;
  auto setup = toy_setup(dir / "run");
  ToyTask task;
  task.bad_calls = {3, 4, 8};
  const auto result = run_toy(setup, task);
  CHECK(result.step == 40);
  CHECK(result.last.at("skipped") == 3);
  CHECK(read_text(dir / "run" / "metrics.jsonl").find("\"loss\":null") != std::string::npos);
  task.bad_calls = {3, 4, 5};
  setup.run_folder = dir / "bad";
  const std::string message = error_of([&] { run_toy(setup, task); });
  CHECK(message.find("step 6") != std::string::npos);
  CHECK(message.find("toy://5/0") != std::string::npos);
  CHECK(read_json(dir / "bad" / "bad_batch.json")["batches"][0]["uris"][1] == "toy://5/1");
}

TEST_CASE("overfit lowers the loss, accumulation and groups take part", "[train]") {
  TempDir dir;
  auto setup = toy_setup(dir / "run");
  setup.trainer.overfit = 2;
  setup.trainer.max_steps = 200;
  setup.trainer.accumulate = 2;
  const auto result = run_toy(setup);
  const double first =
      parse_json(first_line_of(dir / "run" / "metrics.jsonl"), "row")["loss"].get<double>();
  CHECK(result.last.at("loss") < .2 * first);
  CHECK(result.last.at("tokens") == 12);
  CHECK(result.last.count("aux/size") == 1);
  ToySource source;
  const auto first_of = [](std::unique_ptr<Batch> batch) {
    return dynamic_cast<ToyBatch&>(*batch).x_SC[0][0].item<double>();
  };
  const double a = first_of(source.next()), b = first_of(source.next());
  CHECK(result.last.at("toy/first") == std::max(a, b));
}

TEST_CASE("a dry run does one step and leaves no file", "[train]") {
  TempDir dir;
  auto setup = toy_setup(dir / "run");
  setup.trainer.dry_run = true;
  const auto result = run_toy(setup);
  CHECK(result.step == 1);
  CHECK(std::isfinite(result.last.at("loss")));
  CHECK_FALSE(fs::exists(dir / "run"));
}

TEST_CASE("errors of the source reach the caller, from the prefetch thread too", "[train]") {
  TempDir dir;
  ToyTask task;
  task.fail_at = 6;
  for (bool prefetch : {false, true}) {
    auto setup = toy_setup(dir / cat("run", prefetch));
    setup.trainer.prefetch = prefetch;
    CHECK(error_of([&] { run_toy(setup, task); }) == "[toy://broken] cannot read");
    run_toy(setup);  // nothing was saved: the folder may be used again
    const std::string csv = read_text(setup.run_folder / "metrics.csv");
    CHECK(csv.find("\n1,loss,") == csv.rfind("\n1,loss,"));
  }
}

TEST_CASE("weights load strictly or with a report", "[train][checkpoint]") {
  TempDir dir;
  ToyModel model;
  write_safetensors(dir / "w.safetensors", {{"block.weight", at::ones({16, 4})},
                                            {"head.weight", at::ones({2, 16})},
                                            {"extra", at::ones({1})}});
  const auto before = model.first.weight.detach().clone();
  const std::string message = error_of([&] { load_weights(model, dir / "w.safetensors"); });
  CHECK(message.find("matched 1; missing 3: block.bias, head.bias, mean; unexpected 1: extra; of "
                     "another shape 1") != std::string::npos);
  CHECK(model.first.weight.equal(before));
  CHECK(load_weights(model, dir / "w.safetensors", false).matched == 1);
  CHECK(model.first.weight[3][2].item<float>() == 1);
  CHECK(error_of([&] { load_weights(model, dir / "none"); }).find("no such checkpoint") !=
        std::string::npos);
}

TEST_CASE("progress text gives speed and time left once known", "[train]") {
  CHECK(Progress::line(10, 100, .5, 1e-3, 0) == "step 10/100  loss 0.5  lr 0.001");
  CHECK(Progress::line(40, 100, .5, 1e-3, .5) ==
        "step 40/100  loss 0.5  lr 0.001  0.5 steps/s  2:00 left");
}

TEST_CASE("the step timer charges inner scopes once and prints the costliest first",
          "[train][timer]") {
  StepTimer timer;
  { TimedScope off("off"); }
  {
    StepTimerInstall on(&timer);
    TimedScope outer("outer");
    for (int i = 0; i < 2; ++i) {
      TimedScope inner("inner");
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  }
  const auto rows = timer.rows();
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].name == "inner");
  CHECK(rows[0].calls == 2);
  CHECK(rows[0].seconds >= .02);
  CHECK(rows[1].seconds < .01);
  CHECK(timer.table(1, 1).find("outer") == std::string::npos);
}

TEST_CASE("devices that do not exist here are refused", "[train][runtime]") {
  CHECK(parse_device("cpu").is_cpu());
  CHECK(error_of([] { parse_device("gpu"); }) ==
        "[device] unknown device: got 'gpu'; valid: cpu, cuda, cuda:N");
  if (!at::hasCUDA())
    CHECK(error_of([] { parse_device("cuda:0"); }).find("no CUDA") != std::string::npos);
}

TEST_CASE("bf16 really changes the forward pass and keeps fp32 weights", "[train]") {
  TempDir dir;
  auto full = toy_setup(dir / "full"), half = toy_setup(dir / "half");
  half.trainer.precision = "bf16";
  const double a = run_toy(full).last.at("loss"), b = run_toy(half).last.at("loss");
  CHECK(a != b);
  CHECK(a == Approx(b).epsilon(.2));
  const auto file =
      SafeTensors::open(dir / "half" / "ckpt" / "step-00000040" / "model.safetensors");
  CHECK(file.get("head.weight").scalar_type() == at::kFloat);
}
