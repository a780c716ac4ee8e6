#include "domains/diffusion/golden.h"

#include "core/golden/golden.h"
#include "tests/test.h"

using namespace switchyard;

namespace {

void run_all(const std::string& folder, const std::string& kind, GoldenPrecision precision) {
  register_diffusion_golden();
  const auto report = run_golden(folder, {{kind}, precision});
  CHECK(report.passed > 0);
  for (const auto& line : report.lines) {
    INFO(line.kind << " " << line.name << ": " << line.worst_tensor << " " << line.error << " / "
                   << line.limit << " " << line.note);
    CHECK(line.passed);
  }
}

}  // namespace

TEST_CASE("DiT parts and mixtures reproduce the published numbers", "[diffusion][golden]") {
  const std::string kind = GENERATE("module", "loss", "schedule", "optimizer", "moe_layer");
  const std::string folder = (test::data_dir() / "golden/promoe").string();
  run_all(folder, kind, GoldenPrecision::Double);
  run_all(folder, kind, GoldenPrecision::Single);
}

TEST_CASE("the whole set promoe agrees where it is given", "[diffusion][golden]") {
  const char* folder = test::variable_or_warn("SWITCHYARD_GOLDEN");
  if (!folder) return;
  const std::string kind =
      GENERATE("module", "loss", "schedule", "optimizer", "moe_layer", "model", "flow");
  run_all(std::string(folder) + "/promoe", kind, GoldenPrecision::Double);
  run_all(std::string(folder) + "/promoe", kind, GoldenPrecision::Single);
}
