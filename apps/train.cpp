#include <iostream>

#include "apps/model_run.h"
#include "apps/verbs.h"

namespace switchyard {
namespace {

int run_train(const Arguments& args) {
  if (print_config(args.value("cfg"), args.paths.empty() ? "" : args.paths.front(), args.overrides)) return 0;
  RunConfig run = compose_run(args.overrides);
  if (args.has("dry-run")) run.trainer.dry_run = true;
  if (args.has("overfit")) run.trainer.overfit = std::stoll(args.value("overfit"));
  const bool resume = !run.resume.empty();
  const std::filesystem::path folder = resume ? std::filesystem::path(run.resume) : new_run_folder(run);
  std::cout << "run: " << folder.string() << std::endl;
  const TrainResult result = train_run(run, folder, "moe", resume);
  std::cout << "run: " << folder.string() << std::endl;
  return result.stopped ? kExitSaved : 0;
}

}  // namespace

Verb train_verb() {
  return {"train", "train one model", "[overrides...]",
          "switchyard train experiment=point_cloud/scan_demo data.root=data/scan_demo trainer.max_steps=40",
          {{"cfg", "print the composed config (job), or who set a KEY (why KEY), and stop", true},
           {"dry-run", "one step, no file written"},
           {"overfit", "train on the first N batches again and again", true}},
          run_train};
}

}  // namespace switchyard
