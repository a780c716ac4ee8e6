// Runs the program itself: exit codes, one line per error, help, shipped configs, resume.

#include "tests/test.h"

#include <sys/wait.h>
#include <cstdio>

#include "core/base/random.h"
#include "core/io/file.h"
#include "core/io/npy.h"

using namespace switchyard;
using namespace switchyard::test;
namespace fs = std::filesystem;

namespace {

struct Result {
  int code = -1;
  std::string output;
};

/// Runs `switchyard ARGS` in the source tree; `streams`: what of its output to keep.
Result run(const std::string& args, const std::string& streams = "2>&1") {
  const std::string command =
      cat("cd '", SWITCHYARD_SOURCE_DIR, "' && '", SWITCHYARD_PROGRAM, "' ", args, " ", streams);
  Result result;
  FILE* pipe = ::popen(command.c_str(), "r");
  char buffer[4096];
  while (std::fgets(buffer, sizeof buffer, pipe)) result.output += buffer;
  result.code = WEXITSTATUS(::pclose(pipe));
  return result;
}

const std::string kDemo = "train experiment=point_cloud/scan_demo data.root=nowhere ";

/// A user error: code 1, one line on stderr, holding every text.
void check_user_error(const std::string& args, const std::vector<std::string>& texts) {
  const Result result = run(args, "2>&1 >/dev/null");
  INFO(args << "\n" << result.output);
  CHECK(result.code == 1);
  CHECK(std::count(result.output.begin(), result.output.end(), '\n') == 1);
  for (const auto& text : texts) CHECK(result.output.find(text) != std::string::npos);
}

}  // namespace

TEST_CASE(
    "a wrong config is one line with its place, the nearest key or the range, and exit code 1",
    "[apps]") {
  check_user_error(kDemo + "optimizer.lrr=1", {"optimizer.lrr=1", "optimizer.lr"});
  check_user_error(kDemo + "optimizer.lr=fast", {"optimizer.lr=fast", "expected float"});
  check_user_error(kDemo + "task.clouds=0", {"task.clouds=0", "1 to 4096"});
  check_user_error(kDemo + "model=point_cloud/ptv3_tinyy", {"ptv3_tinyy", "ptv3_tiny"});
  check_user_error("train data.root=nowhere", {"task.train_domains", "must be set"});
  check_user_error("train experiment=point_cloud/scan_dem", {"scan_dem", "scan_demo"});
}

TEST_CASE("a duplicate key in a config file is refused with both lines", "[apps]") {
  TempDir dir;
  fs::copy(fs::path(SWITCHYARD_SOURCE_DIR) / "configs", dir / "configs",
           fs::copy_options::recursive);
  write_text(dir / "configs/optimizer/twice.yaml", "lr: 0.1\nbeta1: 0.9\nlr: 0.2\n");
  ::setenv("SWITCHYARD_CONFIGS", (dir / "configs").c_str(), 1);
  check_user_error(kDemo + "optimizer=twice", {"twice.yaml:3", "lr"});
  ::unsetenv("SWITCHYARD_CONFIGS");
}

TEST_CASE("missing folders and wrong arguments are user errors", "[apps]") {
  check_user_error(kDemo, {"nowhere"});
  check_user_error("report nowhere", {"nowhere"});
  check_user_error("parity tests/golden/point_moe --only nothing", {"nothing"});
  check_user_error("eval", {"a run or study folder"});
  CHECK(run("fly").code == 1);
}

TEST_CASE("every verb has help with an example", "[apps]") {
  for (const char* verb : {"train", "sweep", "eval", "predict", "report", "describe", "pack",
                           "parity", "datasets", "runs", "bench"}) {
    const Result result = run(std::string(verb) + " --help");
    INFO(verb);
    CHECK(result.code == 0);
    CHECK(result.output.find(cat("switchyard ", verb)) != std::string::npos);
  }
}

TEST_CASE("the composed config names who set a value", "[apps]") {
  const Result result =
      run("train --cfg why optimizer.lr experiment=point_cloud/scan_demo optimizer.lr=0.5");
  INFO(result.output);
  CHECK(result.code == 0);
  CHECK(result.output.find("optimizer.lr = 0.5") != std::string::npos);
  CHECK(result.output.find("adamw.yaml") != std::string::npos);
}

TEST_CASE("every shipped experiment composes and parses", "[apps]") {
  for (const auto& entry :
       fs::recursive_directory_iterator(fs::path(SWITCHYARD_SOURCE_DIR) / "configs/experiment")) {
    if (entry.path().extension() != ".yaml") continue;
    fs::path name =
        fs::relative(entry.path(), fs::path(SWITCHYARD_SOURCE_DIR) / "configs/experiment");
    const Result result = run("train --cfg job experiment=" + name.replace_extension("").string());
    INFO(name << "\n" << result.output);
    CHECK(result.code == 0);
  }
}

namespace {

/// Two sensors' worth of noisy boxes in the npy_folder layout.
void write_clouds(const fs::path& root) {
  write_text(root / "classes.txt", "floor\nbox\n");
  for (const char* domain : {"near", "far"}) {
    for (int64_t scan = 0; scan < 4; ++scan) {
      RandomStream stream(3, domain, uint64_t(scan));
      at::Tensor coord = at::empty({3000, 3}), label = at::empty({3000}, at::kLong);
      for (int64_t i = 0; i < 3000; ++i) {
        const bool box = i % 3 == 0;
        float* p = coord.data_ptr<float>() + 3 * i;
        p[0] = float(stream.uniform(0, box ? .8 : 4));
        p[1] = float(stream.uniform(0, box ? .8 : 4));
        p[2] = float(box ? stream.uniform(.2, .8) : stream.normal(0, .01));
        label.data_ptr<int64_t>()[i] = box;
      }
      const fs::path folder = root / domain / (scan < 2 ? "train" : "test") / cat("scan", scan);
      write_npy(folder / "coord.npy", coord);
      write_npy(folder / "segment.npy", label);
    }
  }
}

}  // namespace

TEST_CASE(
    "a killed point-cloud run goes on to the same bits, with EMA, accumulation and mixed domains",
    "[apps][resume]") {
  TempDir dir;
  write_clouds(dir / "data");
  const std::string common =
      cat("train experiment=point_cloud/scan_demo dataset=npy_folder data.root=",
          (dir / "data").string(),
          " task.train_domains=[near,far] task.test_domains=[near,far] task.clouds=2 "
          "task.voxel.crop_voxels=600",
          " trainer.max_steps=40 trainer.checkpoint_every=10 trainer.log_every=1 "
          "trainer.accumulate=2 trainer.ema_decay=0.9 run.dir=");
  REQUIRE(run(common + (dir / "whole").string()).code == 0);
  const std::string killed = (dir / "killed").string();
  // Kills itself as soon as the checkpoint of step 20 is there.
  run(cat(common, killed, " >/dev/null 2>&1 & pid=$!; while [ ! -e '", killed,
          "/ckpt/step-00000020/state.json' ] && kill -0 $pid; do :; done; kill -9 $pid; wait"));
  REQUIRE_FALSE(fs::exists(dir / "killed/ckpt/step-00000040"));
  REQUIRE(run("train resume=" + killed).code == 0);
  for (const char* file :
       {"ckpt/step-00000040/model.safetensors", "ckpt/step-00000040/ema.safetensors",
        "ckpt/step-00000040/optimizer.safetensors", "metrics.jsonl"}) {
    INFO(file);
    CHECK(read_text(dir.path() / "whole" / file) == read_text(dir.path() / "killed" / file));
  }
}

TEST_CASE("small published cases pass through the verb", "[apps][golden]") {
  const Result result = run("parity tests/golden/point_moe --precision f64");
  INFO(result.output);
  CHECK(result.code == 0);
  CHECK(result.output.find(", 0 failed\n") != std::string::npos);
}

TEST_CASE("published transforms and test-time voting work from the command line",
          "[apps][voting]") {
  TempDir dir;
  write_clouds(dir / "data");
  const std::string folder = (dir / "run").string();
  const Result trained = run(cat(
      "train experiment=point_cloud/scan_demo dataset=point_cloud/pointcept_outdoor "
      "'dataset.dataset={type: npy_folder, root: ",
      (dir / "data").string(),
      "}' task.features=[coord] model.in_channels=3 task.train_domains=[near] "
      "task.test_domains=[near,far] task.clouds=2 task.voxel.grid=0.2 task.voting.views=outdoor10 "
      "task.voting.pre_grid_size=0.15 trainer.max_steps=2 run.dir=",
      folder));
  INFO(trained.output);
  REQUIRE(trained.code == 0);
  const Result voted = run("eval " + folder + " eval.metric=miou@test-vote");
  INFO(voted.output);
  REQUIRE(voted.code == 0);
  CHECK(read_text(dir / "run/eval/table.json").find("miou@test-vote") != std::string::npos);
  const Result labelled = run("predict " + folder + " --vote --limit 1 --out " + folder + "/out");
  INFO(labelled.output);
  REQUIRE(labelled.code == 0);
  for (const auto& entry : fs::recursive_directory_iterator(dir / "run/out")) {
    if (entry.path().filename() == "labels.npy") CHECK(read_npy(entry.path()).size(0) == 3000);
  }
}
