#include <iostream>

#include "apps/model_run.h"
#include "apps/verbs.h"

namespace switchyard {
namespace {

/// Where a run goes on: resume=RUN (its newest checkpoint) or resume=RUN/ckpt/step-N.
struct Resume {
  std::filesystem::path folder, checkpoint = "newest";

  explicit Resume(const std::string& text) : folder(text) {
    if (!std::filesystem::exists(folder / "state.json")) return;
    checkpoint = folder;
    folder = std::filesystem::absolute(folder).lexically_normal().parent_path().parent_path();
  }
};

/// Takes the argument resume=PATH out of `overrides`.
std::optional<Resume> take_resume(std::vector<std::string>& overrides) {
  for (auto it = overrides.begin(); it != overrides.end(); ++it) {
    if (it->rfind("resume=", 0) != 0) continue;
    Resume resume(it->substr(7));
    overrides.erase(it);
    return resume;
  }
  return {};
}

int run_train(const Arguments& args) {
  if (print_config(args.value("cfg"), args.paths.empty() ? "" : args.paths.front(),
                   args.overrides) ||
      print_info(args.value("info"), args.overrides))
    return 0;
  std::vector<std::string> overrides = args.overrides;
  const std::optional<Resume> resume = take_resume(overrides);
  RunConfig run = resume ? read_run(resume->folder, overrides) : compose_run(overrides);
  if (args.has("dry-run")) run.trainer.dry_run = true;
  run.trainer.overfit = args.number("overfit", run.trainer.overfit, 1);
  const std::filesystem::path folder = resume ? resume->folder : new_run_folder(run);
  std::cout << "run: " << folder.string() << std::endl;
  const TrainResult result = resume
                                 ? train_run(run, folder, recorded_arm(folder), resume->checkpoint)
                                 : train_run(run, folder, "moe");
  std::cout << "run: " << folder.string() << std::endl;
  return result.stopped ? kExitSaved : 0;
}

}  // namespace

Verb train_verb() {
  return {"train",
          "train one model",
          "[overrides...]",
          "switchyard train experiment=point_cloud/scan_demo data.root=data/scan_demo "
          "trainer.max_steps=40",
          {{"cfg", "print the composed config (job), or who set a KEY (why KEY), and stop", true},
           {"info", "print which file brought which (tree), and stop", true},
           {"dry-run", "one step, no file written"},
           {"overfit", "train on the first N batches again and again", true}},
          run_train};
}

}  // namespace switchyard
