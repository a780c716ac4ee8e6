#include "core/golden/golden.h"
#include "domains/diffusion/golden.h"
#include "eval/metrics/golden.h"
#include "tests/test.h"

using namespace switchyard;
using namespace switchyard::test;

namespace {

constexpr const char* kKinds[] = {"metric_frechet", "metric_frechet_stats", "metric_is",
                                  "metric_kid", "metric_prdc"};

void register_once() {
  register_metric_golden();
  register_diffusion_golden();  // the set
}

void check_folder(const std::string& folder, GoldenPrecision precision) {
  register_once();
  const auto report = run_golden(folder, {{std::begin(kKinds), std::end(kKinds)}, precision});
  CHECK(report.passed > 0);
  for (const auto& line : report.lines) {
    INFO(line.name << ": " << line.worst_tensor << " " << line.error << " / " << line.limit << " "
                   << line.note);
    CHECK(line.passed);
  }
}

/// The case with one value of `tensor` moved by 1e-4 or 1.
void write_perturbed(const std::filesystem::path& from, const std::filesystem::path& to,
                     const std::string& tensor) {
  const auto file = SafeTensors::open(from);
  NamedTensors tensors;
  for (const auto& name : file.names()) {
    at::Tensor value = file.get(name).clone();
    if (name == tensor)
      value.view(-1)[0] += value.is_floating_point() ? at::Scalar(1e-4) : at::Scalar(1);
    tensors.emplace_back(name, value);
  }
  write_safetensors(to, tensors, file.metadata());
}

}  // namespace

TEST_CASE("metrics of generated samples agree with the published ones", "[metrics][golden]") {
  const auto precision = GENERATE(GoldenPrecision::Double, GoldenPrecision::Single);
  check_folder((data_dir() / "golden/diffusion").string(), precision);
  if (const char* folder = variable_or_warn("SWITCHYARD_GOLDEN"))
    check_folder(std::string(folder) + "/diffusion", precision);
}

TEST_CASE("one wrong value fails a case of every metric", "[metrics][golden]") {
  const auto [name, tensor] = GENERATE(
      table<std::string, std::string>({{"metric_frechet_1d", "outputs/fd"},
                                       {"metric_frechet_constant_columns", "outputs/sigma_a"},
                                       {"metric_frechet_from_stats", "outputs/trace_sqrt"},
                                       {"metric_sfid", "outputs/mu_a"},
                                       {"metric_is", "outputs/chunks.mean"},
                                       {"metric_kid_all", "outputs/unbiased.mmd2"},
                                       {"metric_pr_ties", "outputs/lt.balls_per_fake"},
                                       {"metric_pr_identical", "outputs/le.precision"}}));
  TempDir folder;
  register_once();
  const std::string file = name + ".safetensors";
  write_perturbed(data_dir() / "golden/diffusion" / file, folder / file, tensor);
  const auto report = run_golden(folder.path(), {{}, GoldenPrecision::Double});
  CHECK(report.failed == 1);
  CHECK((report.lines.at(0).worst_tensor == tensor));
}
