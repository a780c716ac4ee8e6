#include "domains/point_cloud/golden.h"

#include <cstdlib>

#include "core/golden/golden.h"
#include "domains/point_cloud/golden_set.h"
#include "tests/test.h"

using namespace switchyard;

namespace {

const std::vector<std::string> kStored = {"serialization", "patches",    "subm_conv",  "pooling",
                                          "unpooling",     "losses",     "attention",  "pdnorm",
                                          "augment",       "mixed_head", "grid_sample"};
/// Their cases are too large to bring along.
const std::vector<std::string> kLarge = {"block", "ptv3", "ptmoe", "ppt", "ptmoe_seg", "tta_vote"};

GoldenReport run_all(const std::string& folder, const std::vector<std::string>& kinds,
                     GoldenPrecision precision = GoldenPrecision::FromCase) {
  register_point_cloud_golden();
  const auto report = run_golden(folder, {kinds, precision});
  for (const auto& line : report.lines) {
    INFO(line.kind << " " << line.name << ": " << line.worst_tensor << " " << line.error << " / "
                   << line.limit << " " << line.note);
    CHECK((line.passed || (!line.covered && precision == GoldenPrecision::Single)));
  }
  return report;
}

}  // namespace

TEST_CASE("point cloud parts reproduce the published numbers", "[point_cloud][golden]") {
  const auto kind = GENERATE(from_range(kStored));
  INFO(kind);
  CHECK(run_all((test::data_dir() / "golden/point_moe").string(), {kind}).ok());
}

TEST_CASE("in single precision they stay within the limits of the golden README",
          "[point_cloud][golden]") {
  const std::string folder = (test::data_dir() / "golden/point_moe").string();
  const auto report = run_all(
      folder, {"serialization", "patches", "subm_conv", "losses", "attention", "mixed_head"},
      GoldenPrecision::Single);
  CHECK(report.passed >= 10);
  CHECK(report.not_covered == 0);
  // These state no limit for it.
  const auto without = run_all(folder, {"pooling", "unpooling", "pdnorm", "augment", "grid_sample"},
                               GoldenPrecision::Single);
  CHECK(without.passed == 0);
}

TEST_CASE("the whole golden folder agrees where it is given", "[point_cloud][golden]") {
  const char* folder = test::variable_or_warn("SWITCHYARD_GOLDEN");
  if (!folder) return;
  auto kinds = kStored;
  kinds.insert(kinds.end(), kLarge.begin(), kLarge.end());
  const auto kind = GENERATE_COPY(from_range(kinds));
  INFO(kind);
  CHECK(run_all(std::string(folder) + "/point_moe", {kind}).ok());
  CHECK(run_all(std::string(folder) + "/point_moe", {kind}, GoldenPrecision::Single).failed == 0);
}

TEST_CASE("limits of the set point_moe are read as its README says", "[point_cloud][golden]") {
  GoldenCase golden;
  golden.dtype = at::kFloat;
  golden.tolerance = Json::parse(R"({"f32_output": 1e-4, "f32_grad": 1e-3, "f64": 1e-9})");
  CHECK(point_moe_golden_limit(golden, "outputs/y") == 1e-4);
  CHECK(point_moe_golden_limit(golden, "grads/a") == 1e-3);
  golden.tolerance = Json::parse(R"({"compute": 0.01, "vs_feat_f64": 0.02})");
  CHECK(point_moe_golden_limit(golden, "outputs/feat") == .01);
  CHECK(point_moe_golden_limit(golden, "outputs/feat_f64") == .02);
}
