// Runs the program itself: exit codes, one line per error, help, shipped configs, resume.

#include "tests/test.h"

#include "core/io/file.h"
#include "core/io/json.h"
#include "core/io/npy.h"
#include "tests/support/program.h"

using namespace switchyard;
using namespace switchyard::test;
namespace fs = std::filesystem;

namespace {

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
  fs::copy(source_dir() / "configs", dir / "configs", fs::copy_options::recursive);
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
                           "parity", "datasets", "runs", "bench", "convert", "rerun"}) {
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

TEST_CASE("--info tree shows which file brought which, and refuses other words", "[apps]") {
  const Result result =
      run("train --info tree experiment=point_cloud/scan_demo optimizer=adamw router=sequence");
  INFO(result.output);
  CHECK(result.code == 0);
  CHECK(result.output.starts_with("(root): "));
  CHECK(result.output.find("\n  experiment: ") != std::string::npos);
  CHECK(result.output.find("scan_demo.yaml, chosen by ") != std::string::npos);
  CHECK(result.output.find("\nrouter: ") != std::string::npos);
  CHECK(result.output.find("sequence.yaml, chosen by argument 'router=sequence'") !=
        std::string::npos);
  check_user_error("train --info treee experiment=point_cloud/scan_demo", {"treee", "tree"});
}

TEST_CASE("every shipped experiment composes and parses", "[apps]") {
  for (const auto& entry : fs::recursive_directory_iterator(source_dir() / "configs/experiment")) {
    if (entry.path().extension() != ".yaml") continue;
    fs::path name = fs::relative(entry.path(), source_dir() / "configs/experiment");
    const Result result = run("train --cfg job experiment=" + name.replace_extension("").string());
    INFO(name << "\n" << result.output);
    CHECK(result.code == 0);
  }
}

TEST_CASE("describe counts parameters, sites and FLOPs, and names oracles and causality",
          "[apps]") {
  TempDir dir;
  write_clouds(dir / "data");
  const std::string clouds =
      cat("experiment=point_cloud/scan_demo dataset=npy_folder data.root=", (dir / "data").string(),
          " task.train_domains=[near] task.test_domains=[near,far] ");
  const Result token = run("describe " + clouds);
  INFO(token.output);
  REQUIRE(token.code == 0);
  for (const char* text :
       {"arm moe: ", "arm active: ", "routed experts", "routers ", "enc.enc0.block0.attn.proj",
        "router: token > linear > {type: topk, k: 2}", "oracle (a router reads domain_id): no",
        "later token): yes", "ways to compute the experts", "one op", "active ", "total "})
    CHECK(token.output.find(text) != std::string::npos);
  const Result grouped = run("describe " + clouds + "router=sequence");
  INFO(grouped.output);
  CHECK(grouped.output.find("router: sequence > linear") != std::string::npos);
  CHECK(grouped.output.find("later token): no") != std::string::npos);
  const Result guided =
      run("describe " + clouds +
          "router=domain_guided +model.context_channels=16 +model.condition_of.far=near");
  INFO(guided.output);
  CHECK(guided.output.find("oracle (a router reads domain_id): yes") != std::string::npos);
  CHECK(token.output.find("other parts that read domain_id: none") != std::string::npos);
  CHECK(guided.output.find("domain_id: context vectors (oracle)") != std::string::npos);
}

TEST_CASE("a study with one training domain says that nothing can be told apart", "[apps]") {
  TempDir dir;
  write_clouds(dir / "data");
  const Result result =
      run(cat("sweep experiment=point_cloud/scan_demo dataset=npy_folder data.root=",
              (dir / "data").string(),
              " task.train_domains=[near] task.test_domains=[near,far] study.arms=[moe] "
              "trainer.max_steps=1 run.dir=",
              (dir / "study").string()));
  INFO(result.output);
  CHECK(result.code == 0);
  CHECK(result.output.find("no input probe") != std::string::npos);
  CHECK(fs::exists(dir / "study/report/index.html"));
  check_user_error(cat("eval ", (dir / "study").string(), " data.root=elsewhere"),
                   {"data.root", "dataset.root"});
}

TEST_CASE("eval with an override leaves the model's own results alone", "[apps]") {
  TempDir dir;
  write_clouds(dir / "data");
  const std::string folder = (dir / "run").string();
  REQUIRE(run(cat("train experiment=point_cloud/scan_demo dataset=npy_folder data.root=",
                  (dir / "data").string(),
                  " task.train_domains=[near] task.test_domains=[near,far] trainer.max_steps=2 "
                  "run.dir=",
                  folder))
              .code == 0);
  REQUIRE(run("eval " + folder + " trace.enabled=false").code == 0);
  const Json row = read_json(dir / "run/eval/table.json").at("rows").at(0);
  INFO(row.dump());
  CHECK(row.at("params_active").get<double>() < row.at("params_total").get<double>());
  REQUIRE(run("eval " + folder).code == 0);
  const std::string own = read_text(dir / "run/eval/table.json");
  const Result changed = run("eval " + folder + " eval.override.k=1");
  INFO(changed.output);
  REQUIRE(changed.code == 0);
  CHECK(read_text(dir / "run/eval/table.json") == own);
  const auto flops = [](const std::string& table) {
    return parse_json(table, "table").at("rows").at(0).at("flops_per_token").get<double>();
  };
  CHECK(flops(read_text(dir / "run/override/k=1/eval/table.json")) < flops(own));
  CHECK(fs::exists(dir / "run/override/k=1/trace"));
  check_user_error("eval " + folder + " eval.override.k=9", {"override.k", "1 to 4"});
  check_user_error("eval " + folder + " eval.override.k=1 eval.override.sites=head*",
                   {"head*", "attn.proj"});
}

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

TEST_CASE("models that know the domain train, and refuse a domain nobody gave a condition",
          "[apps]") {
  TempDir dir;
  write_clouds(dir / "data");
  const std::string common =
      cat("train experiment=point_cloud/scan_demo dataset=npy_folder data.root=",
          (dir / "data").string(), " task.train_domains=[near] task.test_domains=[near,far] ",
          "task.clouds=2 task.voxel.crop_voxels=300 trainer.max_steps=2 trainer.log_every=1 ");
  const std::string far_is_near = " +model.condition_of.far=near";
  for (const std::string model :
       {"model=point_cloud/ppt_tiny", "model=point_cloud/ppt_language_tiny",
        "model=point_cloud/point_moe_tiny", "router=domain_guided +model.context_channels=16"}) {
    INFO(model);
    const Result result = run(cat(common, model, far_is_near, " run.dir=", (dir / "run").string()));
    INFO(result.output);
    CHECK(result.code == 0);
    fs::remove_all(dir / "run");
    check_user_error(common + model, {"'far'", "valid: near", "model.condition_of.far=near"});
  }
}

TEST_CASE("describe gives the published size of Point-MoE-L", "[apps]") {
  TempDir dir;
  write_clouds(dir / "data");
  const Result result = run(cat(
      "describe --keys experiment=point_cloud/scan_demo model=point_cloud/ptv3_base ",
      "moe=point_moe_l model.in_channels=5 dataset=npy_folder data.root=", (dir / "data").string(),
      " task.train_domains=[near] task.test_domains=[near] task.voxel.grid=0.5"));
  INFO(result.output.substr(0, 500));
  CHECK(result.code == 0);
  // The published backbone has a sixth input channel; the head here is 64 x 2 + 2.
  const int64_t expected = 99809088 - 32 * 5 * 5 * 5 + 64 * 2 + 2;
  CHECK(result.output.find(cat("arm moe: ", expected, " parameters")) != std::string::npos);
  CHECK(result.output.find("backbone.enc.enc0.block0.attn.proj.gate.weight [8, 32]") !=
        std::string::npos);
}

TEST_CASE("small published cases pass through the verb", "[apps][golden]") {
  for (const char* precision : {"f64", "f32"}) {
    const Result result = run(cat("parity tests/golden/point_moe --precision ", precision));
    INFO(result.output);
    CHECK(result.code == 0);
    CHECK(result.output.find(", 0 failed\n") != std::string::npos);
  }
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

TEST_CASE("rerun trains a run's config anew and says what code made the first", "[apps]") {
  TempDir dir;
  write_clouds(dir / "data");
  REQUIRE(run(cat("train experiment=point_cloud/scan_demo dataset=npy_folder data.root=",
                  (dir / "data").string(),
                  " task.train_domains=[near] task.test_domains=[near,far] trainer.max_steps=2 "
                  "run.dir=",
                  (dir / "first").string()))
              .code == 0);
  const Result again =
      run(cat("rerun ", (dir / "first").string(), " run.dir=", (dir / "second").string()));
  INFO(again.output);
  REQUIRE(again.code == 0);
  CHECK(again.output.find("code: ") != std::string::npos);
  CHECK(read_text(dir / "first/metrics.jsonl") == read_text(dir / "second/metrics.jsonl"));
  const std::string overrides = read_text(dir / "first/overrides.txt");
  CHECK(read_text(dir / "second/overrides.txt").starts_with(overrides));
  check_user_error("rerun nowhere", {"nowhere", "config.yaml"});
  check_user_error(cat("rerun ", (dir / "first").string(), " run.dir=", (dir / "first").string()),
                   {"holds a run already"});
}
