#pragma once
// A checkpoint: a folder {model,ema,optimizer}.safetensors under public names, and state.json. Written
// beside its final name, synced, renamed: a killed or failed save leaves the older ones untouched.

#include <filesystem>

#include "core/config/node.h"
#include "core/train/ema.h"
#include "core/train/optimizer.h"

namespace switchyard {

/// state.json, without the list of files. Holds no wall time and no path, so equal runs give equal bytes.
struct TrainState {
  int64_t step = 0;              ///< finished steps
  int64_t source = 0;            ///< BatchSource position behind the last batch that was used
  int64_t total_steps = 0;       ///< of the schedule, frozen
  int64_t skipped = 0;           ///< steps left out for a non-finite loss or gradient
  int64_t skipped_in_a_row = 0;
  int64_t best_step = -1;        ///< step of the best evaluation; -1: none yet
  double best_value = 0;
  int64_t threads = 0;
  int64_t seed = 0;
  std::string data_hash;
  ConfigNode config;             ///< resolved
  std::vector<std::string> overrides;
  std::map<std::string, std::string> provenance;  ///< git hash, library versions
};

/// What a checkpoint covers. `ema` may be null.
struct TrainParts {
  Module& model;
  AdamW& optimizer;
  Ema* ema = nullptr;
};

/// Errors: cannot write (full disk); nothing of an older checkpoint is changed then.
void save_checkpoint(const std::filesystem::path& folder, const TrainState& state, const TrainParts& parts);
/// Checks sizes and hashes of every file before anything is changed. Errors name the damaged file.
TrainState read_checkpoint_state(const std::filesystem::path& folder);
void load_checkpoint(const std::filesystem::path& folder, const TrainParts& parts);

/// ckpt/ of a run: step-00000020, step-00000040, ... and a link `best`.
class CheckpointStore {
 public:
  explicit CheckpointStore(std::filesystem::path folder) : folder_(std::move(folder)) {}
  std::filesystem::path at_step(int64_t step) const;
  /// Steps of whole folders, rising. Temporary leftovers do not count.
  std::vector<int64_t> steps() const;
  /// The newest checkpoint. Errors: none there; damaged (named, with the previous whole one offered).
  std::filesystem::path newest() const;
  /// Removes all but the last `keep` and `best_step`.
  void prune(int64_t keep, int64_t best_step) const;
  void link_best(int64_t step) const;
  /// After resuming from `step`: removes temporary leftovers, renames newer checkpoints to NAME.discarded.
  void start_from(int64_t step) const;

 private:
  std::filesystem::path folder_;
};

/// Result of loading weights only.
struct LoadReport {
  int64_t matched = 0;
  std::vector<std::string> missing;     ///< wanted by the model, not in the file
  std::vector<std::string> unexpected;  ///< in the file, unknown to the model or of another shape
  std::string text() const;
};

/// `checkpoint=`: weights only. `path`: a safetensors file, a checkpoint folder, or a run folder (its
/// newest checkpoint). A folder with ema.safetensors gives the average if `use_ema`.
/// Errors: unreadable file; if `strict`, anything missing or unexpected.
LoadReport load_weights(Module& model, const std::filesystem::path& path, bool strict = true,
                        bool use_ema = false);
/// All published tensors of a module.
NamedTensors weights_of(const Module& model);

}  // namespace switchyard
