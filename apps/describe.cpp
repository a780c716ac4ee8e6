#include <cstdio>
#include <iostream>

#include "apps/model_run.h"
#include "apps/verbs.h"
#include "core/base/flop_counter.h"

namespace switchyard {
namespace {

void print_moe(const ConfigNode& config) {
  const ConfigNode* moe = config.find_path("model.moe");
  if (!moe || !moe->is_map()) {
    std::cout << "moe: none (published dense sub-layers)\n";
    return;
  }
  std::cout << "moe (granularity token: every point chooses its experts):\n" << moe->to_yaml(2);
  std::cout << "oracle inputs: none (no router reads domain_id)\n";
}

void print_parameters(const Module& model, bool keys) {
  int64_t total = 0, buffers = 0;
  for (const ParamView& view : model.views()) {
    (view.trainable ? total : buffers) += view.value().numel();
    if (keys) std::cout << view.name << " " << to_text(view.value().sizes().vec()) << "\n";
  }
  std::cout << "parameters: " << total << " (" << model.views().size() << " tensors, " << buffers
            << " elements in buffers)\n";
}

int run_describe(const Arguments& args) {
  const RunConfig run = args.paths.empty() ? compose_run(args.overrides)
                                           : read_run(args.path("a run folder"), args.overrides);
  const auto task = make_task(run);
  for (const auto& arm : arm_names()) {
    const RunConfig arm_run = parse_run(arm_config(run.node, arm), run.overrides);
    const auto model = make_task(arm_run)->build_model();
    std::cout << "arm " << arm << ": " << count_parameters(*model) << " parameters\n";
  }
  const auto model = task->build_model();
  print_parameters(*model, args.has("keys"));
  print_moe(run.node);
  return 0;
}

}  // namespace

Verb describe_verb() {
  return {"describe",
          "parameters of every arm and the composed routing pipeline",
          "[RUN] [overrides...]",
          "switchyard describe experiment=point_cloud/scan_demo data.root=data/scan_demo",
          {{"keys", "list every published tensor with its shape"}},
          run_describe};
}

}  // namespace switchyard
