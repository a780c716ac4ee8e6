#include "apps/run_config.h"

#include <unistd.h>

#include <cstdlib>
#include <ctime>
#include <iostream>

#include "core/config/inspect.h"
#include "core/config/override.h"
#include "core/config/yaml.h"

namespace switchyard {
namespace fs = std::filesystem;
namespace {

/// A node that is only a name or absent: "", or its text.
std::string optional_text(const ConfigNode& root, const std::string& path) {
  const ConfigNode* node = root.find_path(path);
  return node && !node->is_null() ? node->as_string(path) : "";
}

const ConfigNode& node_or_null(const ConfigNode& root, const std::string& key) {
  static const ConfigNode null;
  const ConfigNode* node = root.find(key);
  return node ? *node : null;
}

struct RunDirParams {
  std::optional<std::string> dir;
  static void declare(Fields<RunDirParams>& f) {
    f.add("dir", &RunDirParams::dir, "folder of the run or study");
  }
};
struct DataParams {
  std::optional<std::string> root;
  static void declare(Fields<DataParams>& f) {
    f.add("root", &DataParams::root, "folder of the data");
  }
};

}  // namespace

void TraceParams::declare(Fields<TraceParams>& f) {
  f.add("enabled", &TraceParams::enabled, "record routing at evaluation");
  f.add("scores", &TraceParams::scores, "record the full softmax too");
  f.add("sequences", &TraceParams::sequences, "whole sequences recorded per domain, by hash of uri",
        at_least(1));
  f.add("samples", &TraceParams::samples, "samples per domain kept for the overlays", at_least(0));
}

void EvalParams::declare(Fields<EvalParams>& f) {
  f.add("metric", &EvalParams::metric, "primary metric, one of the task's");
  f.add("class_share", &EvalParams::class_share,
        "a class counts in a domain from this share of its labels", between(0, 1));
  f.add("draws", &EvalParams::draws, "bootstrap and permutation draws", between(20, 100000));
  f.add("passes", &EvalParams::passes,
        "evaluations with other draws of the forward pass (shuffled curves); above 1 their spread "
        "is printed",
        between(1, 100));
  f.add("group_word", &EvalParams::group_word, "what a group is called in tables: rooms, drives");
  f.add("step", &EvalParams::step,
        "checkpoint to evaluate, -1: the newest; results of another go to FOLDER/override/step=N/",
        at_least(-1));
  f.node("generate", &EvalParams::generate, "scores of what the model makes");
  f.node("override", &EvalParams::routing,
         "change the trained model's routing; results go to FOLDER/override/");
}

void BenchParams::declare(Fields<BenchParams>& f) {
  f.add("repeats", &BenchParams::repeats, "timed steps per backend", between(1, 10000));
  f.add("backends", &BenchParams::backends,
        "timed in turn, of fast and reference; the tables are of the first; peak memory is one "
        "backend's own where it is alone");
}

Composer config_composer() {
  std::vector<fs::path> folders;
  if (const char* given = std::getenv("SWITCHYARD_CONFIGS")) folders.emplace_back(given);
  folders.emplace_back("configs");
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  if (!error) folders.push_back(program.parent_path() / "../../configs");
  return Composer(folders);
}

RunConfig parse_run(ConfigNode node, std::vector<std::string> overrides) {
  check_top_level(node);
  RunConfig run;
  run.overrides = std::move(overrides);
  run.experiment = optional_text(node, "experiment");
  run.seed = node_or_null(node, "seed").as_int("seed");
  run.device = node_or_null(node, "device").as_string("device");
  check_name(node_or_null(node, "device").origin().text(), "device", run.device, {"cpu", "cuda"});
  run.run_dir = parse_params<RunDirParams>(node_or_null(node, "run"), "run").dir.value_or("");
  parse_params<DataParams>(node_or_null(node, "data"), "data");
  run.checkpoint = optional_text(node, "checkpoint");
  if (const ConfigNode* strict = node.find("checkpoint_strict"))  // absent in older run folders
    run.checkpoint_strict = strict->as_bool("checkpoint_strict");
  run.trainer = parse_params<TrainerParams>(node_or_null(node, "trainer"), "trainer");
  run.optimizer = parse_params<AdamWParams>(node_or_null(node, "optimizer"), "optimizer");
  run.schedule = parse_schedule(node_or_null(node, "schedule"));
  run.trace = parse_params<TraceParams>(node_or_null(node, "trace"), "trace");
  run.eval = parse_params<EvalParams>(node_or_null(node, "eval"), "eval");
  run.study = parse_params<StudyParams>(node_or_null(node, "study"), "study");
  params_detail::check_keys(node_or_null(node, "report"), "report", {});
  run.bench = parse_params<BenchParams>(node_or_null(node, "bench"), "bench");
  run.node = std::move(node);
  return run;
}

RunConfig compose_run(const std::vector<std::string>& overrides) {
  return parse_run(config_composer().compose("config", overrides), overrides);
}

RunConfig read_run(const fs::path& run_folder, const std::vector<std::string>& overrides) {
  check(fs::exists(run_folder / "config.yaml"), run_folder.string(),
        "is not a run folder: it has no config.yaml");
  ConfigNode node = load_yaml(run_folder / "config.yaml");
  // A run of an older version lacks the newer keys of `eval`, which may be set all the same.
  node.child("eval") = write_params(parse_params<EvalParams>(node_or_null(node, "eval"), "eval"));
  for (const auto& text : overrides) {
    const Override parsed = parse_override(text);
    check(!parsed.key.starts_with("data."), parsed.where(),
          "has no effect on a run that exists: its ",
          "config.yaml is filled in already; override what read it, as in dataset.root=FOLDER");
    ConfigNode* target = &node;
    for (const auto& part : split(parsed.key, '.')) {
      target = target->find(part);
      check(target != nullptr, parsed.where(), "no such key in ",
            (run_folder / "config.yaml").string(), ": got '", parsed.key, "'");
    }
    *target = parse_override_value(parsed.value_text, {parsed.where(), 0});
  }
  return parse_run(std::move(node), overrides);
}

fs::path new_run_folder(const RunConfig& run) {
  if (!run.run_dir.empty()) return run.run_dir;
  const std::string experiment = run.experiment.empty() ? "custom" : run.experiment;
  const std::time_t now = std::time(nullptr);
  char stamp[32];
  std::strftime(stamp, sizeof stamp, "%Y%m%d-%H%M%S", std::gmtime(&now));
  return fs::path("runs") / experiment / (std::string(stamp) + "-" + std::to_string(::getpid()));
}

bool print_config(const std::string& request, const std::string& key,
                  const std::vector<std::string>& overrides) {
  if (request.empty()) return false;
  check_name("--cfg", "request", request, {"job", "why"});
  const Composed composed = config_composer().compose_traced("config", overrides);
  check(request == "job" || !key.empty(), "--cfg why", "needs a key: --cfg why KEY");
  std::cout << (request == "job" ? composed.config.to_yaml() : why(composed, key) + "\n");
  return true;
}

bool print_info(const std::string& request, const std::vector<std::string>& overrides) {
  if (request.empty()) return false;
  check_name("--info", "request", request, {"tree"});
  std::cout << info_tree(config_composer().compose_traced("config", overrides)) << "\n";
  return true;
}

}  // namespace switchyard
