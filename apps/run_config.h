#pragma once
// The configuration of one run: composed from configs/ and the command line, or read back from a
// run folder.

#include <filesystem>
#include <optional>

#include "apps/generation_scores.h"
#include "core/config/compose.h"
#include "core/moe/routing_override.h"
#include "core/train/trainer.h"
#include "eval/study/evaluation.h"
#include "eval/study/study.h"

namespace switchyard {

struct TraceParams {
  bool enabled = true;
  bool scores = true;
  int64_t sequences = 40;  ///< per domain
  int64_t samples = 1;     ///< clouds per domain drawn by the report
  static void declare(Fields<TraceParams>& f);
};

struct EvalParams {
  std::string metric = "miou@voxel-common";
  double class_share = 0.001;
  int64_t draws = 1000;
  int64_t passes = 1;
  int64_t step = -1;  ///< checkpoint to evaluate; -1: the newest
  std::string group_word = "groups";
  GenerationParams generate;
  RoutingRuleParams routing;  ///< key `override`: what the evaluation changes in the routing
  /// Test-time voting: its tables stand alone, it writes no trace.
  bool votes() const { return is_voted(metric); }
  static void declare(Fields<EvalParams>& f);
};

struct BenchParams {
  int64_t repeats = 30;
  std::vector<std::string> backends = {"fast", "reference"};
  static void declare(Fields<BenchParams>& f);
};

struct RunConfig {
  ConfigNode node;                     ///< resolved, as written to config.yaml
  std::vector<std::string> overrides;  ///< as typed
  std::string experiment;
  int64_t seed = 0;
  std::string device;
  std::string run_dir, checkpoint;  ///< empty: not set
  bool checkpoint_strict = true;    ///< false: load what fits
  TrainerParams trainer;
  AdamWParams optimizer;
  ScheduleParams schedule;
  TraceParams trace;
  EvalParams eval;
  StudyParams study;
  BenchParams bench;
};

/// Folders searched for config files: $SWITCHYARD_CONFIGS, ./configs, configs of the source tree
/// that this program was built in.
Composer config_composer();
/// Composes, checks every node strictly and parses.
RunConfig compose_run(const std::vector<std::string>& overrides);
/// Reads config.yaml of a run folder and applies overrides of existing keys on top.
RunConfig read_run(const std::filesystem::path& run_folder,
                   const std::vector<std::string>& overrides = {});
/// Parses an already resolved config.
RunConfig parse_run(ConfigNode node, std::vector<std::string> overrides);

/// "runs/<experiment>/<UTC time>-<slug>", not yet made; run.dir if set.
std::filesystem::path new_run_folder(const RunConfig& run);
/// Prints what --cfg job or --cfg why asks for; true if it did.
bool print_config(const std::string& request, const std::string& key,
                  const std::vector<std::string>& overrides);

/// Prints what --info asks for; true if it did.
bool print_info(const std::string& request, const std::vector<std::string>& overrides);

}  // namespace switchyard
