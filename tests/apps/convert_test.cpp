// Published weights through the program: `switchyard convert` and checkpoint=.

#include "tests/test.h"

#include <ATen/ops/ones.h>

#include "core/io/file.h"
#include "core/io/tensor_io.h"
#include "tests/support/program.h"

using namespace switchyard;
using namespace switchyard::test;
namespace fs = std::filesystem;

namespace {

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// A run of one step on two domains, its folder `run` and its model's overrides.
struct Trained {
  Trained() {
    write_clouds(dir / "data");
    REQUIRE(run(train + " run.dir=" + (dir / "run").string()).code == 0);
  }
  std::string path(const std::string& name) const { return (dir / name).string(); }
  NamedTensors weights() const { return read_tensors(model_file()); }
  fs::path model_file() const { return dir / "run/ckpt/step-00000001/model.safetensors"; }

  TempDir dir;
  std::string train =
      cat("train experiment=point_cloud/scan_demo dataset=npy_folder data.root=", path("data"),
          " task.train_domains=[near] task.test_domains=[near] trainer.max_steps=1",
          " trainer.eval_every=1000 task.voxel.crop_voxels=300 task.clouds=1");
};

/// `convert ARGS`: exit code 1 and one line on stderr that holds `texts`.
void check_refused(const std::string& args, const std::vector<std::string>& texts) {
  const Result result = run("convert " + args, "2>&1 >/dev/null");
  INFO(args << "\n" << result.output);
  CHECK(result.code == 1);
  CHECK(std::count(result.output.begin(), result.output.end(), '\n') == 1);
  for (const auto& text : texts) CHECK(holds(result.output, text));
}

std::string checked(const std::string& args) {
  const Result result = run(args);
  INFO(args << "\n" << result.output);
  CHECK(result.code == 0);
  return result.output;
}

}  // namespace

TEST_CASE("weights go out as .pth, pass Python's zipfile and pickletools, and come back",
          "[apps][convert]") {
  const Trained trained;
  const std::string pth = trained.path("out.pth"), back = trained.path("back.safetensors");
  checked("convert " + trained.path("run") + " " + pth + " --wrap state_dict");
  const Result python = run_command(
      cat("python3 scripts/check_pth.py '", pth, "' --like '", trained.model_file().string(), "'"));
  INFO(python.output);
  CHECK(python.code == 0);
  const std::string report =
      checked("convert " + pth + " " + back + " model=point_cloud/ptv3_tiny");
  INFO(report);
  CHECK(holds(report, "missing 0\nunexpected 0\nreshaped 0\n"));
  const auto first = trained.weights(), second = read_tensors(back);
  REQUIRE(first.size() == second.size());
  for (size_t i = 0; i < first.size(); ++i) {
    INFO(first[i].first);
    CHECK(first[i].first == second[i].first);
    CHECK(first[i].second.equal(second[i].second));
  }
  CHECK(holds(checked(trained.train + " checkpoint=" + pth + " run.dir=" + trained.path("again")),
              cat("weights: matched ", first.size())));
}

TEST_CASE("a conversion that is not complete is refused unless asked for", "[apps][convert]") {
  const Trained trained;
  const std::string in = trained.path("in.pth"), out = trained.path("out.safetensors");
  const std::string model = " model=point_cloud/ptv3_tiny";
  NamedTensors weights = trained.weights();
  for (auto& [name, tensor] : weights) name = "module." + name;
  const std::string dropped = weights.front().first.substr(7);
  weights.erase(weights.begin());
  weights.emplace_back("module.extra", at::ones({2}));
  for (auto& [name, tensor] : weights) {
    if (name == "module.seg_head.bias") tensor = at::ones({7});
  }
  write_tensors(in, weights);
  check_refused(in + " " + out + model,
                {"missing 1: " + dropped, "unexpected 1: extra",
                 "of another shape 1: seg_head.bias [7] for [2]", "--partial"});
  CHECK_FALSE(fs::exists(out));
  const std::string report = checked("convert " + in + " " + out + model + " --partial");
  CHECK(holds(report, "names taken without 'module.'"));
  CHECK(holds(report, "missing 1\n  " + dropped));
  CHECK(read_tensors(out).size() == weights.size() - 2);

  const Result strict = run(trained.train + " checkpoint=" + in + " run.dir=" + trained.path("a"));
  CHECK(strict.code == 1);
  CHECK(holds(strict.output, "checkpoint_strict=false"));
  checked(trained.train + " checkpoint=" + in +
          " checkpoint_strict=false run.dir=" + trained.path("b"));
}

TEST_CASE("prefixes, formats and keys are the user's to say", "[apps][convert]") {
  TempDir dir;
  const auto path = [&](const char* name) { return (dir / name).string(); };
  write_tensors(dir / "in.pth",
                {{"module.backbone.a", at::ones({2})}, {"module.head", at::ones({3})}}, "net");
  checked("convert " + path("in.pth") + " " + path("out.safetensors") +
          " --key net --strip backbone.");
  const auto tensors = read_tensors(dir / "out.safetensors");
  CHECK(tensors[0].first == "a");
  CHECK(tensors[1].first == "head");
  check_refused(path("in.pth") + " " + path("o.pth"), {"in.pth", "no tensor", "'net'"});
  check_refused(path("in.pth") + " " + path("o.pth") + " --key nett", {"'nett'", "valid: 'net'"});
  check_refused(path("in.pth") + " " + path("o.bin") + " --key net",
                {"o.bin", ".safetensors, .pth"});
  check_refused(path("in.pth") + " " + path("o.pth") + " --key net --strip x.", {"got 'x.'"});
  check_refused(path("in.pth") + " " + path("o.pth") + " --key net model=point_cloud/ptv3_base",
                {"matched 0", "unexpected 2: backbone.a, head"});
  check_refused(
      path("in.pth") + " " + path("o.pth") + " --key net --partial model=point_cloud/ptv3_base",
      {"no tensor fits"});
  check_refused(path("in.pth"), {"expected IN and OUT: got 1"});
  check_refused(path("in.pth") + " " + path("o.pth") + " --key net --ema", {"--ema", "ema_decay"});
  check_refused(path("none.pth") + " " + path("o.pth"), {"none.pth", "no such checkpoint"});
  write_text(dir / "old.pth", "\x80\x02legacy");
  check_refused(path("old.pth") + " " + path("o.pth"), {"before PyTorch 1.6", "torch.save("});
}
