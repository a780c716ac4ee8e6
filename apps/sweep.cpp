#include <chrono>
#include <iostream>
#include <thread>

#include "apps/model_run.h"
#include "apps/study_jobs.h"
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

/// Whether the cell that this one starts from, if any, is done.
bool can_start(const Study& study, const Protocol& protocol, const StudyCell& cell) {
  const auto source = protocol.source(cell);
  return !source || std::any_of(study.cells().begin(), study.cells().end(), [&](const auto& other) {
    return other.folder() == source->folder() && other.state == CellState::Evaluated;
  });
}

/// Trains and evaluates what is missing of a cell. False if a signal stopped it (it is saved).
bool run_cell(Study& study, const RunConfig& base, size_t index) {
  const StudyCell cell = study.cells()[index];
  const auto folder = study.cell_folder(cell);
  const RunConfig run = cell_config(study, base, cell);
  const std::string about = make_protocol(study.protocol())->about(cell);
  log::info("cell ", index + 1, " of ", study.cells().size(), ": ", cell.arm,
            about.empty() ? "" : ", " + about, ", seed ", cell.seed);
  if (cell.state == CellState::Planned) {
    const std::string newest = std::filesystem::exists(folder / "ckpt") ? "newest" : "";
    if (train_run(run, folder, cell.arm, newest).stopped) return false;
    study.set_state(index, CellState::Trained);
  }
  evaluate_cell(study, cell, run, /*resume=*/true);
  study.set_state(index, CellState::Evaluated);
  return true;
}

/// Runs the cells that no other process holds; one whose source another process is still at is
/// waited for. False if a signal stopped it.
bool run_cells(Study& study, const RunConfig& base) {
  const auto protocol = make_protocol(study.protocol());
  for (bool waiting = true; waiting;) {
    waiting = false;
    for (size_t i = 0; i < study.cells().size(); ++i) {
      if (study.cells()[i].state == CellState::Evaluated) continue;
      const auto held = study.claim(i);
      if (!held || study.cells()[i].state == CellState::Evaluated) continue;
      if (!can_start(study, *protocol, study.cells()[i]))
        waiting = true;
      else if (!run_cell(study, base, i))
        return false;
    }
    if (waiting) std::this_thread::sleep_for(std::chrono::seconds(1));
  }
  return true;
}

bool run_in_jobs(Study& study, const RunConfig& base) {
  StudyJobs jobs(study.folder(), base.study.jobs - 1);
  const bool done = run_cells(study, base) && jobs.wait();
  study.refresh();
  return done;
}

int say_unfinished(const Study& study, const std::string& why) {
  std::cout << why << "; continue with: switchyard sweep resume=" << study.folder().string()
            << std::endl;
  return kExitSaved;
}

int run_study(Study study, const RunConfig& base, bool cells_only) {
  std::cout << "study: " << study.folder().string() << std::endl;
  if (!(cells_only ? run_cells(study, base) : run_in_jobs(study, base)))
    return say_unfinished(study, "stopped and saved");
  if (cells_only) return 0;
  if (const auto left = study.unfinished())
    return say_unfinished(study, cat("other processes are at ", left, " cells"));
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
  const bool cells_only = args.has("cells-only");
  for (const auto& override : args.overrides) {
    if (override.rfind("resume=", 0) != 0) continue;
    Study study = Study::open(override.substr(7));
    const RunConfig base = compose_run(study.overrides());
    return run_study(std::move(study), base, cells_only);
  }
  for (const auto& overrides : expand_sweep(args.overrides, config_composer())) {
    const RunConfig base = compose_run(overrides);
    if (const int code = run_study(plan_study(base, overrides), base, cells_only)) return code;
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
           {"info", "print which file brought which (tree), and stop", true},
           {"cells-only", "run cells, write no table and no report: a further process at a study"}},
          run_sweep};
}

}  // namespace switchyard
