#include <iostream>

#include "apps/model_run.h"
#include "apps/study_tables.h"
#include "apps/verbs.h"
#include "core/base/log.h"
#include "core/config/sweep.h"
#include "eval/report/report.h"
#include "eval/study/protocol.h"

namespace switchyard {
namespace {

RunConfig cell_config(const Study& study, const RunConfig& base, const StudyCell& cell) {
  ConfigNode node = arm_config(base.node, cell.arm);
  node.child("seed") = ConfigNode(cell.seed, {"study.seeds", 0});
  const auto protocol = make_protocol(study.protocol());
  return parse_run(protocol->configure(std::move(node), cell, study.folder()), base.overrides);
}

Study plan_study(const RunConfig& base, const std::vector<std::string>& overrides) {
  for (const auto& arm : base.study.arms)
    arm_config(base.node, arm);  // an Error here costs nothing
  auto cells = make_protocol(base.study.protocol)->plan(base.study, base.node);
  return Study::create(new_run_folder(base), base.study.protocol, std::move(cells), base.experiment,
                       overrides);
}

/// Trains and evaluates what is missing. False if a signal stopped it (everything is saved).
bool run_cells(Study& study, const RunConfig& base) {
  const auto protocol = make_protocol(study.protocol());
  for (size_t i = 0; i < study.cells().size(); ++i) {
    const StudyCell cell = study.cells()[i];
    if (cell.state == CellState::Evaluated) continue;
    const auto folder = study.cell_folder(cell);
    const RunConfig run = cell_config(study, base, cell);
    const std::string about = protocol->about(cell);
    log::info("cell ", i + 1, " of ", study.cells().size(), ": ", cell.arm,
              about.empty() ? "" : ", " + about, ", seed ", cell.seed);
    if (cell.state == CellState::Planned) {
      if (train_run(run, folder, cell.arm, std::filesystem::exists(folder / "ckpt") ? "newest" : "")
              .stopped)
        return false;
      study.set_state(i, CellState::Trained);
    }
    evaluate_cell(study, cell, run, /*resume=*/true);
    study.set_state(i, CellState::Evaluated);
  }
  return true;
}

int run_study(Study study, const RunConfig& base) {
  std::cout << "study: " << study.folder().string() << std::endl;
  if (!run_cells(study, base)) {
    std::cout << "stopped and saved; continue with: switchyard sweep resume="
              << study.folder().string() << std::endl;
    return kExitSaved;
  }
  std::cout << write_study_tables(study, base) << "\n";
  std::cout << write_probe(study.folder()) << "\n";
  const auto report = write_report({study.folder()});
  std::cout << "report: " << report.index.string() << "\nstudy: " << study.folder().string()
            << std::endl;
  return 0;
}

int run_sweep(const Arguments& args) {
  if (print_config(args.value("cfg"), args.paths.empty() ? "" : args.paths.front(),
                   args.overrides) ||
      print_info(args.value("info"), args.overrides))
    return 0;
  for (const auto& override : args.overrides) {
    if (override.rfind("resume=", 0) != 0) continue;
    Study study = Study::open(override.substr(7));
    const RunConfig base = compose_run(study.overrides());
    return run_study(std::move(study), base);
  }
  for (const auto& overrides : expand_sweep(args.overrides, config_composer())) {
    const RunConfig base = compose_run(overrides);
    if (const int code = run_study(plan_study(base, overrides), base)) return code;
  }
  return 0;
}

}  // namespace

Verb sweep_verb() {
  return {"sweep",
          "run a cross-domain study: every arm and seed, then the table and the report",
          "[overrides...]",
          "switchyard sweep experiment=point_cloud/scan_demo data.root=data/scan_demo "
          "study.seeds=[0,1,2]",
          {{"cfg", "print the composed config (job), or who set a KEY (why KEY), and stop", true},
           {"info", "print which file brought which (tree), and stop", true}},
          run_sweep};
}

}  // namespace switchyard
