#include "domains/point_cloud/golden.h"

#include <cstdlib>

#include "core/golden/golden.h"
#include "tests/test.h"

using namespace switchyard;

namespace {

const std::vector<std::string> kStored = {"serialization", "patches", "subm_conv", "pooling",
                                          "unpooling",     "losses",  "augment",   "grid_sample"};
const std::vector<std::string> kAll = {
    "serialization", "patches", "subm_conv", "pooling", "unpooling",   "losses",  "attention",
    "block",         "ptv3",    "ptmoe",     "augment", "grid_sample", "tta_vote"};

GoldenReport run_all(const std::string& folder, const std::vector<std::string>& kinds) {
  register_point_cloud_golden();
  const auto report = run_golden(folder, {kinds, GoldenPrecision::FromCase});
  for (const auto& line : report.lines) {
    INFO(line.kind << " " << line.name << ": " << line.worst_tensor << " " << line.error << " / "
                   << line.limit << " " << line.note);
    CHECK((line.passed || !line.covered));
  }
  return report;
}

}  // namespace

TEST_CASE("point cloud parts reproduce the published numbers", "[point_cloud][golden]") {
  const auto report = run_all((test::data_dir() / "golden/point_moe").string(), kStored);
  CHECK(report.passed >= 31);
  CHECK(report.not_covered == 0);
}

TEST_CASE("the whole golden folder agrees where it is given", "[point_cloud][golden]") {
  const char* folder = std::getenv("SWITCHYARD_GOLDEN");
  if (folder) CHECK(run_all(std::string(folder) + "/point_moe", kAll).ok());
}
