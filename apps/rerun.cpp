#include <algorithm>
#include <iostream>

#include "apps/model_run.h"
#include "apps/verbs.h"
#include "core/io/file.h"
#include "core/io/json.h"

namespace switchyard {
namespace fs = std::filesystem;
namespace {

/// The overrides that a run was started with, one per line of overrides.txt.
std::vector<std::string> recorded_overrides(const fs::path& run_folder) {
  std::vector<std::string> out;
  for (const auto& line : split(read_text(run_folder / "overrides.txt"), '\n')) {
    if (!line.empty()) out.push_back(line);
  }
  return out;
}

/// The old run's config with `overrides` on top. Its run.dir is not taken over: it holds that run.
RunConfig config_of_rerun(const fs::path& old_folder, const std::vector<std::string>& overrides) {
  RunConfig run = read_run(old_folder, overrides);
  run.overrides = recorded_overrides(old_folder);
  run.overrides.insert(run.overrides.end(), overrides.begin(), overrides.end());
  const bool given = std::any_of(overrides.begin(), overrides.end(), [](const std::string& text) {
    return text.starts_with("run.dir=");
  });
  if (given) return run;
  run.run_dir.clear();
  run.node.child("run").child("dir") = ConfigNode();
  return run;
}

std::string text_of(const std::string& hash, const std::string& dirty) {
  return (hash.empty() ? "no git checkout" : hash) + (dirty == "yes" ? " with changes" : "");
}

/// One line: the code of the old run and of this one.
std::string compare_code(const fs::path& old_folder) {
  const Json facts = read_json(old_folder / "provenance.json");
  auto now = provenance();
  const std::string before = text_of(facts.value("git_hash", ""), facts.value("git_dirty", "")),
                    after = text_of(now["git_hash"], now["git_dirty"]);
  return before == after ? "code: " + after + ", as in the first run"
                         : "code: " + after + "; the first run had " + before;
}

int run_rerun(const Arguments& args) {
  const fs::path old_folder = args.path("a run folder");
  const RunConfig run = config_of_rerun(old_folder, args.overrides);
  const fs::path folder = new_run_folder(run);
  std::cout << "run: " << folder.string() << "\n" << compare_code(old_folder) << std::endl;
  const TrainResult result = train_run(run, folder, recorded_arm(old_folder));
  std::cout << "run: " << folder.string() << std::endl;
  return result.stopped ? kExitSaved : 0;
}

}  // namespace

Verb rerun_verb() {
  return {"rerun",
          "train a run's config once more, in a new folder",
          "RUN [overrides...]",
          "switchyard rerun runs/point_cloud/scan_demo/20260101-000000-1 seed=1",
          {},
          run_rerun};
}

}  // namespace switchyard
