#include <algorithm>
#include <iostream>

#include "apps/verbs.h"
#include "core/base/error.h"
#include "core/io/json.h"
#include "eval/study/study.h"

namespace switchyard {
namespace fs = std::filesystem;
namespace {

std::string describe_folder(const fs::path& folder) {
  if (!Study::is_study(folder)) return "run";
  const Study study = Study::open(folder);
  const auto& cells = study.cells();
  const auto done = std::count_if(cells.begin(), cells.end(),
                                  [](const auto& c) { return c.state == CellState::Evaluated; });
  return cat("study, ", done, " of ", cells.size(), " cells done");
}

/// Study and run folders below `root`, cells of studies left out, in order of path.
std::vector<fs::path> find_runs(const fs::path& root) {
  std::vector<fs::path> out;
  for (auto it = fs::recursive_directory_iterator(root); it != fs::recursive_directory_iterator();
       ++it) {
    if (!it->is_directory()) continue;
    if (!Study::is_study(it->path()) && !fs::exists(it->path() / "config.yaml")) continue;
    out.push_back(it->path());
    it.disable_recursion_pending();
  }
  std::sort(out.begin(), out.end());
  return out;
}

int run_runs(const Arguments& args) {
  const fs::path root = args.paths.empty() ? "runs" : args.path("a folder");
  check(fs::is_directory(root), root.string(), "no such folder");
  for (const auto& folder : find_runs(root)) {
    std::string state;
    try {
      state = describe_folder(folder);
    } catch (const Error& error) {
      state = error.what();
    }
    std::cout << folder.string() << "  " << state << "\n";
  }
  return 0;
}

}  // namespace

Verb runs_verb() {
  return {"runs",     "list runs and studies below a folder",
          "[FOLDER]", "switchyard runs runs/point_cloud",
          {},         run_runs};
}

}  // namespace switchyard
