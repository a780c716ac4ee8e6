// Studies by the program itself: plan, table, resume.

#include "tests/test.h"

#include "core/io/file.h"
#include "core/io/json.h"
#include "tests/support/program.h"

using namespace switchyard;
using namespace switchyard::test;

namespace {

/// Arguments of a study of `arms` that takes seconds.
std::string study_args(const std::filesystem::path& dir, const std::string& more) {
  return cat("sweep experiment=point_cloud/scan_demo dataset=npy_folder data.root=",
             (dir / "data").string(),
             " task.test_domains=[near,mid,far] task.clouds=2 task.voxel.crop_voxels=300 "
             "trainer.max_steps=2 trainer.log_every=1 eval.draws=20 trace.samples=0 run.dir=",
             (dir / "study").string(), " ", more);
}

}  // namespace

TEST_CASE("leave one domain out: a study stopped half-way goes on and gives its table",
          "[apps][study]") {
  TempDir dir;
  write_clouds(dir / "data", {"near", "mid", "far"});
  const std::string args =
      study_args(dir.path(),
                 "study.protocol=leave_one_domain_out task.train_domains=[near,mid] "
                 "study.arms=[moe,active,total]");
  // Dies as soon as the third of six cells is under way.
  run(cat(args, " >/dev/null 2>&1 & pid=$!; while [ ! -e '",
          (dir / "study/cells/total/near/seed0/config.yaml").string(),
          "' ] && kill -0 $pid; do sleep .01; done; kill -9 $pid; wait"));
  const Json before = read_json(dir / "study/study.json");
  REQUIRE(before.at("cells").size() == 6);
  CHECK(before.at("cells").at(0).at("state") == "evaluated");
  CHECK(before.at("cells").at(5).at("state") == "planned");
  const auto first = dir / "study/cells/moe/near/seed0/eval/table.json";
  const auto written = std::filesystem::last_write_time(first);
  const Result result = run("sweep resume=" + (dir / "study").string());
  INFO(result.output);
  REQUIRE(result.code == 0);
  CHECK(std::filesystem::last_write_time(first) == written);
  CHECK(result.output.find("cell 6 of 6: total, without mid, seed 0") != std::string::npos);
  const Json summary = read_json(dir / "study/eval/summary.json");
  REQUIRE(summary.at("rows").size() == 3 * 3);
  for (const auto& row : summary.at("rows")) {
    CHECK(row.at("mean").is_number());
    CHECK(row.at("reference_mean").is_number());
  }
  const Json table = read_json(dir / "study/eval/table.json");
  CHECK(table.at("protocol") == "leave_one_domain_out");
  CHECK(table.at("rows").size() == 6 * 3);
  CHECK(std::filesystem::exists(dir / "study/report/index.html"));
}

TEST_CASE("an unknown protocol and unfit domains are refused before anything is trained",
          "[apps][study]") {
  TempDir dir;
  write_clouds(dir / "data", {"near", "mid", "far"});
  const Result unknown =
      run(study_args(dir.path(), "task.train_domains=[near,mid] study.protocol=leave_none_out"));
  CHECK(unknown.code == 1);
  for (const auto& name : {"leave_none_out", "seen_unseen", "leave_one_domain_out"})
    CHECK(unknown.output.find(name) != std::string::npos);
  const Result one =
      run(study_args(dir.path(), "task.train_domains=[near] study.protocol=leave_one_domain_out"));
  CHECK(one.code == 1);
  CHECK(one.output.find("expected at least 2") != std::string::npos);
  CHECK_FALSE(std::filesystem::exists(dir / "study/cells"));
}

TEST_CASE("corruption sweep: clean and corrupted scores of both arms, done conditions are kept",
          "[apps][study]") {
  TempDir dir;
  write_clouds(dir / "data", {"near", "mid", "far"});
  const Result result =
      run(study_args(dir.path(),
                     "study.protocol=corruption_sweep task.train_domains=[near,mid] "
                     "study.corruption.kinds=[noise,density] study.corruption.severities=[1,5]"));
  INFO(result.output);
  REQUIRE(result.code == 0);
  const Json summary = read_json(dir / "study/eval/summary.json");
  CHECK(summary.at("rows").size() == 2 * 2 * (4 + 2 + 1));
  CHECK(read_json(dir / "study/eval/table.json").at("rows").size() == 2 * 3);
  const auto cell = dir / "study/cells/moe/unseen/seed0";
  const auto classes = [&](const std::filesystem::path& folder) {
    return read_json(folder / "eval/groups.json").at("classes");
  };
  CHECK(classes(cell / "conditions/density-5") == classes(cell));
  CHECK_FALSE(std::filesystem::exists(cell / "conditions/density-5/trace"));
  const auto kept = std::filesystem::last_write_time(cell / "conditions/noise-1/eval/table.json");
  Json study = read_json(dir / "study/study.json");
  study["cells"][0]["state"] = "trained";
  write_json(dir / "study/study.json", study);
  std::filesystem::remove_all(cell / "conditions/noise-5");
  REQUIRE(run("sweep resume=" + (dir / "study").string()).code == 0);
  CHECK(std::filesystem::exists(cell / "conditions/noise-5/eval/table.json"));
  CHECK(std::filesystem::last_write_time(cell / "conditions/noise-1/eval/table.json") == kept);
}

TEST_CASE("an unknown arm is refused before anything is trained", "[apps][study]") {
  TempDir dir;
  write_clouds(dir / "data", {"near"});
  const Result result = run(study_args(
      dir.path(),
      "task.train_domains=[near] task.test_domains=[near] study.arms=[moe,point_moe_tny]"));
  CHECK(result.code == 1);
  CHECK(result.output.find("unknown arm: got 'point_moe_tny'; nearest: point_moe_tiny") !=
        std::string::npos);
  CHECK_FALSE(std::filesystem::exists(dir / "study"));
}

TEST_CASE("few shot: every arm is adapted to the unseen domain from its own weights",
          "[apps][study]") {
  TempDir dir;
  write_clouds(dir / "data", {"near", "mid", "far"});
  const Result result = run(
      study_args(dir.path(),
                 "study.protocol=few_shot task.train_domains=[near,mid] study.few_shot.shots=[1] "
                 "study.few_shot.steps=2 study.few_shot.lr_factor=1"));
  INFO(result.output);
  REQUIRE(result.code == 0);
  CHECK(result.output.find("cell 4 of 4: active, adapted to far-1shot, seed 0") !=
        std::string::npos);
  CHECK(read_json(dir / "study/eval/table.json").at("rows").size() == 2 * 3);
  const Json rows = read_json(dir / "study/eval/summary.json").at("rows");
  REQUIRE(rows.size() == 2 * 2);
  CHECK(rows.at(0).at("condition") == "far, 1 shot");
  CHECK(std::filesystem::exists(dir / "study/report/index.html"));
}

TEST_CASE("three processes share the cells of a study, one waits for what it starts from",
          "[apps][study]") {
  TempDir dir;
  write_clouds(dir / "data", {"near", "mid", "far"});
  const std::string args =
      study_args(dir.path(),
                 "study.protocol=few_shot task.train_domains=[near,mid] study.few_shot.shots=[1] "
                 "study.few_shot.steps=2");
  const Result result = run(args + " study.jobs=3");
  INFO(result.output);
  REQUIRE(result.code == 0);
  std::string printed = result.output;
  for (const auto& name : {"1.log", "2.log"}) printed += read_text(dir / "study/jobs" / name);
  for (int cell = 1; cell <= 4; ++cell) {
    const std::string line = cat("cell ", cell, " of 4");
    const size_t first = printed.find(line);
    REQUIRE(first != std::string::npos);
    CHECK(printed.find(line, first + 1) == std::string::npos);
  }
  const Json together = read_json(dir / "study/eval/summary.json");
  std::filesystem::remove_all(dir / "study");
  REQUIRE(run(args).code == 0);
  CHECK(read_json(dir / "study/eval/summary.json").at("rows") == together.at("rows"));
}

TEST_CASE("a process that fails beside others fails the study and names its log", "[apps][study]") {
  TempDir dir;
  write_clouds(dir / "data", {"near", "far"});
  const std::string args = study_args(
      dir.path(), "task.train_domains=[near] task.test_domains=[near,far] study.seeds=[0,1]");
  REQUIRE(run(args).code == 0);
  Json study = read_json(dir / "study/study.json");
  study["overrides"].push_back("study.jobs=2");
  study["cells"][3]["state"] = "trained";
  write_json(dir / "study/study.json", study);
  std::filesystem::remove_all(dir / "study/cells/active/unseen/seed1/ckpt");
  const Result result = run("sweep resume=" + (dir / "study").string());
  INFO(result.output);
  CHECK(result.code == 1);
  CHECK((result.output.find("ckpt") != std::string::npos ||
         result.output.find("jobs/1.log") != std::string::npos));
}

TEST_CASE("repeated evaluation is bit-equal without curve shuffling, its spread is shown with it",
          "[apps][study]") {
  TempDir dir;
  write_clouds(dir / "data", {"near", "far"});
  const auto spread = [&](const std::string& shuffle) {
    const auto folder = dir / ("run-" + shuffle);
    const std::string args = cat(
        "experiment=point_cloud/scan_demo dataset=npy_folder data.root=", (dir / "data").string(),
        " task.train_domains=[near] task.test_domains=[near,far] task.clouds=2 "
        "task.voxel.crop_voxels=300 trainer.max_steps=25 model.shuffle_orders=",
        shuffle, " run.dir=", folder.string());
    REQUIRE(run("train " + args).code == 0);
    const Result first = run("eval " + folder.string() + " eval.passes=5");
    INFO(first.output);
    REQUIRE(first.code == 0);
    CHECK(first.output.find("over 5 passes") != std::string::npos);
    const std::string table = read_text(folder / "eval/table.json"),
                      passes = read_text(folder / "eval/passes.json");
    REQUIRE(run("eval " + folder.string() + " eval.passes=5").code == 0);
    CHECK(read_text(folder / "eval/table.json") == table);
    CHECK(read_text(folder / "eval/passes.json") == passes);
    const Json domains = read_json(folder / "eval/passes.json").at("domains");
    return domains.at("near").at("sd").get<double>() + domains.at("far").at("sd").get<double>();
  };
  CHECK(spread("false") == 0);
  CHECK(spread("true") > 0);
}
