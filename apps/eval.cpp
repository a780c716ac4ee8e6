#include <iostream>

#include "apps/model_run.h"
#include "apps/study_tables.h"
#include "apps/verbs.h"

namespace switchyard {
namespace {

int run_eval(const Arguments& args) {
  const std::filesystem::path folder = args.path("a run or study folder");
  if (!Study::is_study(folder)) {
    const RunConfig run = read_run(folder, args.overrides);
    evaluate_run({folder}, run);
    std::cout << run_table(folder, run) << "\nrun: " << evaluation_folder(folder, run).string()
              << std::endl;
    return 0;
  }
  Study study = Study::open(folder);
  std::optional<RunConfig> base;
  for (size_t i = 0; i < study.cells().size(); ++i) {
    const auto cell_folder = study.cell_folder(study.cells()[i]);
    check(study.cells()[i].state != CellState::Planned, cell_folder.string(),
          "is not trained yet: eval never trains; continue with switchyard sweep resume=",
          folder.string());
    base = read_run(cell_folder, args.overrides);
    evaluate_cell(study, study.cells()[i], *base, /*resume=*/false);
    if (evaluation_folder(folder, *base) == folder) study.set_state(i, CellState::Evaluated);
  }
  std::cout << write_study_tables(study, *base)
            << "\nstudy: " << evaluation_folder(folder, *base).string() << std::endl;
  return 0;
}

}  // namespace

Verb eval_verb() {
  return {
      "eval",
      "evaluate a trained run or study on its test domains; never trains. eval.override.* changes "
      "the routing for this evaluation alone (k, selector, drop, delta, weights; sites, tokens)",
      "FOLDER [overrides...]",
      "switchyard eval runs/point_cloud/scan_demo/20261125-120000-1 "
      "eval.metric=miou@voxel-present\n"
      "  switchyard eval runs/point_cloud/scan_demo/20261125-120000-1 eval.override.k=1",
      {},
      run_eval};
}

}  // namespace switchyard
