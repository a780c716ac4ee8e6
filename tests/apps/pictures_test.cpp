// Image diffusion by the program itself, on drawn shapes small enough for a test.

#include "core/io/file.h"
#include "core/io/json.h"
#include "core/io/npy.h"
#include "core/io/npz.h"
#include "core/io/safetensors.h"
#include "tests/support/program.h"
#include "tests/test.h"

using namespace switchyard;
using namespace switchyard::test;
namespace fs = std::filesystem;

namespace {

std::string tiny(const std::string& more) {
  return cat(
      "experiment=diffusion/shapes_tiny dataset.train=4 dataset.test=2 schedule.warmup_steps=0 "
      "model.patch_size=8 model.hidden_size=16 model.depth=2 "
      "task.images=6 task.eval_times=2 task.sampler.steps=2 trainer.log_every=1 "
      "trainer.checkpoint_every=2 eval.draws=20 ",
      more);
}

std::string newest_weights(const fs::path& run) {
  fs::path newest;
  for (const auto& entry : fs::directory_iterator(run / "ckpt"))
    newest = std::max(newest, entry.path());
  return read_text(newest / "model.safetensors");
}

/// Names in `folder` that start with `start`.
std::vector<std::string> files(const fs::path& folder, const std::string& start) {
  std::vector<std::string> out;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(start)) out.push_back(name);
  }
  return out;
}

}  // namespace

TEST_CASE("a study of pictures trains presets, scores what they make, samples and reports",
          "[apps][pictures]") {
  TempDir dir;
  const fs::path study = dir / "study", cell = study / "cells/moe/unseen/seed0";
  const Result swept =
      run("sweep " + tiny(cat("trainer.max_steps=2 study.arms=[moe,original,ec_dit] "
                              "eval.generate.per_class=2 "
                              "+eval.generate.classifier.steps=2 run.dir=",
                              study.string())));
  INFO(swept.output);
  REQUIRE(swept.code == 0);
  const Json table = read_json(study / "eval/table.json");
  CHECK(table.at("metric") == "loss@flow");
  CHECK(table.at("rows").size() == 3 * 5);
  for (const Json& row : table.at("rows")) {
    CHECK(row.at("value").get<double>() > 0);
    CHECK(row.at("seen") == (row.at("domain") != "sketch" && row.at("domain") != "print"));
  }
  CHECK(files(study / "eval", "table-fid@features=cnn-").size() == 2);  // .json and .csv
  CHECK(files(cell / "eval", "cells-kid@features=cnn-").size() == 2);
  CHECK(files(study / "features", "cnn-").size() == 1);  // one for all arms

  const Result sampled = run(cat("sample ", cell.string(), " --per-class 2"));
  INFO(sampled.output);
  REQUIRE(sampled.code == 0);
  const auto arrays = read_npz(cell / "samples/samples.npz");
  CHECK(arrays.at("arr_0").sizes().vec() == std::vector<int64_t>{5 * 5 * 2, 16, 16, 3});
  CHECK(arrays.at("arr_1").numel() == 5 * 5 * 2);
  CHECK(fs::exists(cell / "samples/grid-sketch.png"));
  CHECK(fs::exists(cell / "samples/overlay.png"));
  const auto trace = SafeTensors::open(cell / "samples/trace.safetensors");
  const Json head = parse_json(trace.metadata("switchyard"), "trace");
  CHECK(head.at("domains").back().at("name") == "(no condition)");
  // Prototypes lead tokens with a class, the last slot all the others.
  const at::Tensor slot = trace.get("site0.slot").to(at::kLong);
  const at::Tensor free = (trace.get("seq.domain") == 5)
                              .repeat_interleave(slot.numel() / trace.get("seq.domain").numel());
  CHECK((slot == 12).equal(free));

  const fs::path dropped = dir / "dropped";
  const Result changed = run(cat("sample ", cell.string(), " --per-class 1 --out ",
                                 dropped.string(), " 'eval.override.drop=[0,1,2,3,4,5]'"));
  INFO(changed.output);
  REQUIRE(changed.code == 0);
  const auto other = SafeTensors::open(dropped / "trace.safetensors").get("site0.slot");
  CHECK(slot.min().item<int64_t>() < 6);
  CHECK(other.to(at::kLong).min().item<int64_t>() >= 6);

  REQUIRE(run("report " + cell.string()).code == 0);
  const std::string page = read_text(cell / "report/index.html");
  for (const char* title : {"Made pictures", "Experts from noise to picture", "with and without"})
    CHECK(page.find(title) != std::string::npos);
  CHECK(page.find("No sample was kept") == std::string::npos);
}

TEST_CASE("a tested cell beside its domain is no class of its own", "[apps][pictures]") {
  TempDir dir;
  const Result swept = run(
      "sweep " + tiny(cat("trainer.max_steps=2 study.arms=[moe] "
                          "task.test_domains=[flat,photo,cartoon,sketch,sketch:circle] "
                          "eval.generate.per_class=2 +eval.generate.classifier.steps=2 run.dir=",
                          (dir / "study").string())));
  INFO(swept.output);
  REQUIRE(swept.code == 0);
  CHECK(swept.output.find("% of 20 cells (domain, class)") != std::string::npos);
}

TEST_CASE("training on pictures resumes to the bit and predict writes experts",
          "[apps][pictures]") {
  TempDir dir;
  const auto train = [&](const std::string& name, const std::string& more) {
    return run("train " +
               tiny(cat("trainer.max_steps=4 ", more, " run.dir=", (dir / name).string())));
  };
  REQUIRE(train("whole", "").code == 0);
  train("halves", "trainer.stop_after=2");
  REQUIRE(run("train resume=" + (dir / "halves").string() + " trainer.stop_after=0").code == 0);
  CHECK(newest_weights(dir / "halves") == newest_weights(dir / "whole"));

  const Result predicted = run("predict " + (dir / "whole").string() + " --limit 1");
  INFO(predicted.output);
  REQUIRE(predicted.code == 0);
  int64_t sequences = 0;
  for (const auto& entry : fs::recursive_directory_iterator(dir / "whole/predict"))
    if (entry.path().filename() == "experts.npy") {
      CHECK(read_npy(entry.path()).sizes().vec() == std::vector<int64_t>{1, 4});
      ++sequences;
    }
  CHECK(sequences == 2);  // one for each noise level
}

TEST_CASE("latents: autoencoder, pack, training, samples and scores", "[apps][pictures]") {
  TempDir dir;
  const auto path = [&](const char* name) { return (dir / name).string(); };
  const auto autoencoder = [&](const std::string& name, const std::string& more) {
    const Result trained = run(
        cat("train experiment=diffusion/vae_shapes dataset.size=16 dataset.train=4 dataset.test=2 "
            "model.block_out_channels=[8,8] task.images=6 trainer.max_steps=2 trainer.log_every=1 ",
            more, " run.dir=", path(name.c_str())));
    INFO(trained.output);
    REQUIRE(trained.code == 0);
  };
  autoencoder("vae", "");
  autoencoder("other", "seed=1");
  REQUIRE(run(cat("pack ", path("latents"),
                  " dataset=image/shapes dataset.size=16 dataset.train=4 dataset.test=2 --vae ",
                  path("vae")))
              .code == 0);
  const std::string latents =
      cat("experiment=diffusion/shapes_latents model.hidden_size=16 model.depth=2 task.images=6 "
          "task.eval_times=2 task.sampler.steps=2 trainer.max_steps=2 trainer.log_every=1 "
          "eval.draws=20 schedule.warmup_steps=0 data.root=",
          path("latents"), " ");

  const std::string run_folder = path("run");
  const Result trained = run("train " + latents + "task.vae.path='' run.dir=" + run_folder);
  INFO(trained.output);
  REQUIRE(trained.code == 0);
  const Result without = run("sample " + run_folder);
  CHECK(without.code == 1);
  CHECK(without.output.find("latents have no picture without their VAE") != std::string::npos);
  const Result wrong = run(cat("sample ", run_folder, " task.vae.path=", path("other")));
  CHECK(wrong.code == 1);
  CHECK(wrong.output.find("did not make these latents") != std::string::npos);
  const Result sampled =
      run(cat("sample ", run_folder, " --per-class 2 task.vae.path=", path("vae")));
  INFO(sampled.output);
  REQUIRE(sampled.code == 0);
  CHECK(read_npz(dir / "run/samples/samples.npz").at("arr_0").sizes().vec() ==
        std::vector<int64_t>{5 * 8 * 2, 16, 16, 3});

  const Result swept = run(cat("sweep ", latents, "study.arms=[moe] eval.generate.per_class=2 ",
                               "+eval.generate.classifier.steps=2 task.vae.path=", path("vae"),
                               " run.dir=", path("study")));
  INFO(swept.output);
  REQUIRE(swept.code == 0);
  CHECK(files(dir / "study/eval", "table-fid@features=cnn-").size() == 2);
  CHECK(run("report " + path("study")).code == 0);
  const Result scaled = run("train " + latents +
                            "task.vae.path='' task.input.scaling_factor=0.5 trainer.dry_run=true");
  CHECK(scaled.code == 1);
  CHECK(scaled.output.find("that of the VAE which made the latents: 1") != std::string::npos);
}

TEST_CASE("pictures: what does not fit is one line and exit code 1", "[apps][pictures]") {
  const auto error = [&](const std::string& more) {
    const Result result = run("train " + tiny("trainer.max_steps=1 " + more));
    CHECK(result.code == 1);
    return result.output;
  };
  CHECK(error("model.in_channels=1").find("expected 3 and 16") != std::string::npos);
  CHECK(error("eval.metric=miou@voxel-all").find("unknown metric: got 'miou@voxel-all'") !=
        std::string::npos);
  CHECK(error("'task.sampler={type: ancestral}'")
            .find("unknown sampler of flow: got 'ancestral'; valid: euler, heun") !=
        std::string::npos);
  CHECK(error("'task.objective={type: ddpm}' 'task.sampler={type: ddim}' eval.metric=loss@ddpm")
            .find("expected true: 'ddpm' predicts 6 channels") != std::string::npos);
  CHECK(error("task.train_domains=[flta] task.test_domains=[flta]")
            .find("no sample of domain 'flta'") != std::string::npos);
}
