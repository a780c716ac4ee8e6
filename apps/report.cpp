#include "eval/report/report.h"

#include <iostream>

#include "apps/verbs.h"

namespace switchyard {
namespace {

int run_report(const Arguments& args) {
  const auto summary = write_report(
      {args.path("a run or study folder"), ReportInput{}.page_bytes, args.value("compare")});
  std::cout << "report: " << summary.index.string() << std::endl;
  return 0;
}

}  // namespace

Verb report_verb() {
  return {"report",
          "write report/index.html of a run or study",
          "FOLDER",
          "switchyard report runs/point_cloud/scan_demo/20261125-120000-1",
          {{"compare", "a second run or study: also writes report/compare-<its name>.html", true}},
          run_report};
}

}  // namespace switchyard
