#include <cstdio>
#include <iostream>

#include "apps/verbs.h"
#include "core/base/error.h"
#include "core/golden/golden.h"
#include "core/train/runtime.h"

namespace switchyard {
namespace {

GoldenPrecision precision_from(const std::string& name) {
  check_name("--precision", "precision", name, {"f64", "f32", "case"});
  return name == "f64"   ? GoldenPrecision::Double
         : name == "f32" ? GoldenPrecision::Single
                         : GoldenPrecision::FromCase;
}

void print_line(const GoldenReport::Line& line) {
  if (!line.covered) {
    std::printf("%-44s %-14s not covered: %s\n", line.name.c_str(), line.kind.c_str(),
                line.note.c_str());
    return;
  }
  std::printf("%-44s %-14s %9.2e / %.0e %-32s %s%s%s\n", line.name.c_str(), line.kind.c_str(),
              line.error, line.limit, line.worst_tensor.c_str(), line.passed ? "pass" : "FAIL",
              line.note.empty() ? "" : "  ", line.note.c_str());
}

int run_parity(const Arguments& args) {
  init_runtime(0, /*deterministic=*/false);
  GoldenOptions options;
  if (args.has("only")) options.only = split(args.value("only"), ',');
  options.precision = precision_from(args.value("precision", "case"));
  options.device = parse_device(args.value("device", "cpu"));
  const GoldenReport report =
      run_golden(args.path("a folder of golden cases"), options, print_line);
  if (args.has("json")) write_json(args.value("json"), to_json(report));
  if (report.not_covered > 0) std::printf("%ld not covered\n", long(report.not_covered));
  std::printf("%ld passed, %ld failed\n", long(report.passed), long(report.failed));
  return report.ok() ? 0 : 1;
}

}  // namespace

Verb parity_verb() {
  return {"parity",
          "compare with golden numbers of the published models",
          "DIR",
          "switchyard parity tests/golden/point_moe --only attention,block/eval_* --precision f64",
          {{"only", "kinds or kind/glob, separated by commas", true},
           {"precision", "f64, f32 or case (default: what the case asks for)", true},
           {"device", "cpu (default), cuda or cuda:N", true},
           {"json", "write the results to this file", true}},
          run_parity};
}

}  // namespace switchyard
