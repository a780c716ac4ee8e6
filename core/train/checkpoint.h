#pragma once
// A checkpoint: a folder {model,ema,optimizer}.safetensors under public names, and state.json.
// Written beside its final name, synced, renamed: a killed or failed save leaves the older ones
// untouched.

#include <filesystem>

#include "core/config/node.h"
#include "core/train/ema.h"
#include "core/train/loss_scaler.h"
#include "core/train/optimizer.h"

namespace switchyard {

/// File of a checkpoint folder with the averaged weights; only with trainer.ema_decay > 0.
inline constexpr const char* kAverageFile = "ema.safetensors";

/// state.json, without the list of files. Holds no wall time and no path, so equal runs give equal
/// bytes.
struct TrainState {
  int64_t step = 0;         ///< finished steps
  int64_t source = 0;       ///< BatchSource position behind the last batch that was used
  int64_t total_steps = 0;  ///< of the schedule, frozen
  int64_t skipped = 0;      ///< steps left out for a non-finite loss or gradient
  int64_t skipped_in_a_row = 0;
  int64_t best_step = -1;  ///< step of the best evaluation; -1: none yet
  double best_value = 0;
  int64_t threads = 0;
  int64_t seed = 0;
  std::optional<LossScaler> loss_scaler;  ///< fp16 only
  std::string data_hash;
  ConfigNode config;  ///< resolved
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
void save_checkpoint(const std::filesystem::path& folder, const TrainState& state,
                     const TrainParts& parts);
/// Checks that state.json reads and that size and hash of every file are as it says. Errors name
/// the file.
TrainState read_checkpoint(const std::filesystem::path& folder);
/// Restores weights, average and optimizer. Errors: names or shapes that differ from the model's.
void load_checkpoint(const std::filesystem::path& folder, const TrainParts& parts);

}  // namespace switchyard
