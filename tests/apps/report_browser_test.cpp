// The report of a run that was really trained, opened in a headless Chromium.

#include "tests/support/program.h"
#include "tests/test.h"

using namespace switchyard;
using namespace switchyard::test;

namespace {

constexpr int kSkipped = 77;  // of check_report.py: no Chromium

}  // namespace

TEST_CASE("the report of a small study passes the browser check", "[apps][report][browser]") {
  const TempDir dir;
  write_clouds(dir / "data", {"near", "far", "wide"}, {2, 9, 700});
  const Result study =
      run(cat("sweep experiment=point_cloud/scan_demo dataset=npy_folder data.root=",
              (dir / "data").string(),
              " task.train_domains=[near,far] task.test_domains=[wide,near,far] task.clouds=2 "
              "trainer.max_steps=8 study.arms=[moe] run.dir=",
              (dir / "study").string()));
  INFO(study.output);
  REQUIRE(study.code == 0);
  const Result check = run_command(cat("python3 scripts/check_report.py '",
                                       (dir / "study").string(), "/report/index.html' 2>&1"));
  if (check.code == kSkipped) {
    WARN("skipped: " << check.output);
    return;
  }
  INFO(check.output);
  CHECK(check.code == 0);
}
