#include "apps/model_run.h"

#include <sys/utsname.h>

#include <algorithm>

#include "apps/first_line.h"
#include "core/base/error.h"
#include "core/base/log.h"
#include "core/io/json.h"
#include "core/train/checkpoint.h"
#include "core/train/checkpoint_store.h"
#include "core/train/load_weights.h"
#include "core/train/runtime.h"
#include "domains/registry.h"

namespace switchyard {
namespace fs = std::filesystem;
namespace {

/// Applies `change` to every MoE site of model.moe: one MoEConfig for all sites, or a map of sites.
void for_each_site(ConfigNode& config, const std::function<void(ConfigNode&)>& change) {
  ConfigNode* model = config.find("model");
  ConfigNode* moe = model ? model->find("moe") : nullptr;
  if (!moe || !moe->is_map()) return;
  if (moe->find("experts")) return change(*moe);
  std::vector<std::string> sites;
  for (const auto& [site, node] : moe->as_map()) sites.push_back(site);
  for (const auto& site : sites) change(*moe->find(site));
}

std::string processor() {
  const std::string line = first_line("grep -m1 'model name' /proc/cpuinfo");
  const size_t colon = line.find(':');
  return colon == std::string::npos ? ""
                                    : std::string(trim(std::string_view(line).substr(colon + 1)));
}

}  // namespace

const std::vector<std::string>& arm_kinds() {
  static const std::vector<std::string> names = {"moe", "active", "total", "original"};
  return names;
}

ConfigNode arm_config(ConfigNode config, const std::string& arm) {
  const Composer composer = config_composer();
  const auto presets = composer.folders().options("moe");
  auto valid = arm_kinds();
  valid.insert(valid.end(), presets.begin(), presets.end());
  check_name("study.arms", "arm", arm, valid);
  if (arm == "moe") return config;
  if (arm == "original") {
    config.find("model")->erase("moe");
    return config;
  }
  if (std::find(presets.begin(), presets.end(), arm) != presets.end()) {
    config.find("model")->child("moe") = composer.compose("moe/" + arm, {});
    return config;
  }
  const TwinKind kind = arm == "active" ? TwinKind::Active : TwinKind::Total;
  for_each_site(config, [&](ConfigNode& site) {
    const Origin origin = site.origin();
    site = write_params(twin(parse_params<MoEConfig>(site, "model.moe"), kind));
    site.set_origin(origin);
  });
  return config;
}

ConfigNode with_backend(ConfigNode config, const std::string& backend) {
  if (ConfigNode* model = config.find("model"); model && model->find("backend"))
    model->child("backend") = ConfigNode(backend);
  for_each_site(config, [&](ConfigNode& site) { site.child("backend") = ConfigNode(backend); });
  return config;
}

std::unique_ptr<Task> make_task(const RunConfig& run) {
  auto task = tasks().make(run.node.at("task"), "task", run.node);
  check_name("eval.metric", "metric", run.eval.metric, task->metrics());
  return task;
}

TraceRecorder::Header trace_header(Task& task, const std::string& split, int64_t step,
                                   const std::string& sampling) {
  TraceRecorder::Header header;
  header.split = split;
  header.step = step;
  header.sampling = sampling;
  header.domains = task.domain_names();
  header.classes = task.class_names();
  const auto seen = task.seen_domains();
  for (const auto& name : header.domains)
    header.seen.push_back(std::find(seen.begin(), seen.end(), name) != seen.end());
  return header;
}

std::map<std::string, std::string> provenance() {
  struct utsname system {};
  ::uname(&system);
  return {{"git_hash", first_line("git rev-parse HEAD 2>/dev/null")},
          {"git_dirty",
           first_line("git status --porcelain 2>/dev/null | head -n 1").empty() ? "no" : "yes"},
          {"system", cat(system.sysname, " ", system.release)},
          {"processor", processor()}};
}

std::string recorded_arm(const fs::path& folder) {
  const fs::path path = folder / "provenance.json";
  const Json facts = read_json(path);
  check(facts.is_object() && facts.contains("arm") && facts.at("arm").is_string(), path.string(),
        "damaged: 'arm' is missing; valid: ", join(arm_kinds()));
  return facts.at("arm").get<std::string>();
}

TrainResult train_run(const RunConfig& run, const fs::path& folder, const std::string& arm,
                      const fs::path& checkpoint) {
  init_runtime(run.trainer.threads, run.trainer.deterministic);
  const auto task = make_task(run);
  const auto model = task->build_model();
  if (!run.checkpoint.empty()) {
    log::info("weights: ", load_weights(*model, run.checkpoint, run.checkpoint_strict).text());
  }
  model->to(parse_device(run.device), at::kFloat);
  TrainSetup setup;
  setup.trainer = run.trainer;
  setup.optimizer = run.optimizer;
  setup.schedule = run.schedule;
  setup.device = run.device;
  setup.seed = run.seed;
  setup.run_folder = folder;
  setup.config = run.node;
  setup.overrides = run.overrides;
  setup.provenance = provenance();
  setup.provenance["arm"] = arm;
  setup.provenance["data_source"] = task->data_source();
  setup.provenance["synthetic"] = task->synthetic() ? "yes" : "no";
  setup.provenance["data_hash"] = task->data_hash();
  setup.resume = !checkpoint.empty();
  if (checkpoint != "newest") setup.resume_checkpoint = checkpoint;
  return train(*task, *model, setup);
}

namespace {

fs::path chosen_checkpoint(const CheckpointStore& store, int64_t step) {
  if (step < 0) return store.newest();
  const auto steps = store.steps();
  check(std::find(steps.begin(), steps.end(), step) != steps.end(), "eval.step",
        "no such checkpoint: got ", step, "; valid: ", to_text(steps),
        " (trainer.keep_last keeps more)");
  return store.at_step(step);
}

}  // namespace

LoadedModel load_model(const fs::path& folder, const RunConfig& run) {
  init_runtime(run.trainer.threads, run.trainer.deterministic);
  LoadedModel out;
  out.task = make_task(run);
  out.model = out.task->build_model();
  const fs::path checkpoint = chosen_checkpoint(CheckpointStore(folder / "ckpt"), run.eval.step);
  load_weights(*out.model, checkpoint, true, /*use_ema=*/true);
  out.step = read_checkpoint(checkpoint).step;
  out.model->to(parse_device(run.device), at::kFloat);
  out.model->train(false);
  return out;
}

}  // namespace switchyard
