#pragma once
// What train, sweep, eval and bench share: from a run's config to a trained and evaluated model.

#include "apps/run_config.h"
#include "core/moe/trace_recorder.h"
#include "core/moe/twin.h"
#include "core/train/task.h"

namespace switchyard {

/// Arms that need no preset: moe, active, total, original.
const std::vector<std::string>& arm_kinds();
/// The config of an arm: as it is ("moe"); with model.moe replaced by its dense twin ("active",
/// "total", core/moe/twin.h) or by a preset of configs/moe; or without it ("original": the
/// published dense sub-layers). Error: an unknown arm.
ConfigNode arm_config(ConfigNode config, const std::string& arm);
/// Sets `backend` of the model, where it has one, and of every MoE site.
ConfigNode with_backend(ConfigNode config, const std::string& backend);

/// Errors: unknown task type, bad parameters, data that cannot be opened.
std::unique_ptr<Task> make_task(const RunConfig& run);

/// Trains into `folder` (an ordinary run folder), or goes on from `checkpoint` of it ("newest", or
/// a folder below ckpt/; empty: from the start). `arm`: recorded in provenance.json.
TrainResult train_run(const RunConfig& run, const std::filesystem::path& folder,
                      const std::string& arm, const std::filesystem::path& checkpoint = {});
/// The arm that a run folder was trained as.
std::string recorded_arm(const std::filesystem::path& folder);

/// Where the results of evaluating a run or study folder belong: the folder itself, or
/// FOLDER/override/<what eval.override changes>, so that they never replace the model's own.
std::filesystem::path evaluation_folder(const std::filesystem::path& folder, const RunConfig& run);
/// What eval.override asks for. Errors: `sites` that names none of the model's.
RoutingOverride override_of(const RunConfig& run, const Module& model);
/// One evaluation of a run folder's newest checkpoint.
struct EvaluationRequest {
  std::filesystem::path run_folder;
  std::string condition =
      {};  ///< of the protocol; with a name the results lie in conditions/<name>
  /// Compares with the scores of this run or study cell: its class lists hold, and only the primary
  /// metric is written.
  std::filesystem::path compare_with = {};
  /// Where classifiers that judge made data are kept; empty: below the results.
  std::filesystem::path features = {};
  /// The run folder's or condition's evaluation_folder().
  std::filesystem::path folder(const RunConfig& run) const;
};
/// Evaluates on the test domains: writes eval/ and trace/.
void evaluate_run(const EvaluationRequest& request, const RunConfig& run);
/// All evaluations that the protocol asks of a trained cell. `resume`: keeps those that are done,
/// except the plain one.
void evaluate_cell(const Study& study, const StudyCell& cell, const RunConfig& run, bool resume);

/// Loads `checkpoint` (or a run folder's newest) into a freshly built model on the run's device.
struct LoadedModel {
  std::unique_ptr<Task> task;
  std::unique_ptr<Module> model;
  int64_t step = 0;
};
LoadedModel load_model(const std::filesystem::path& folder, const RunConfig& run);

/// Header of a trace of `task`; `sampling` says which sequences it holds.
TraceRecorder::Header trace_header(Task& task, const std::string& split, int64_t step,
                                   const std::string& sampling);

/// Facts of this program and machine for provenance.json.
std::map<std::string, std::string> provenance();

}  // namespace switchyard
