#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

namespace switchyard {

/// ckpt/ of a run: step-00000020, step-00000040, ... and a link `best`.
class CheckpointStore {
 public:
  explicit CheckpointStore(std::filesystem::path folder) : folder_(std::move(folder)) {}
  std::filesystem::path at_step(int64_t step) const;
  /// Steps of finished folders, rising. Temporary leftovers of a killed save do not count.
  std::vector<int64_t> steps() const;
  /// The newest checkpoint. Errors: none there; damaged (the file is named and the newest whole one
  /// before it offered: going back is the user's decision).
  std::filesystem::path newest() const;
  /// Removes all but the last `keep` and the one of `best_step`.
  void prune(int64_t keep, int64_t best_step) const;
  void link_best(int64_t step) const;
  /// On resume from `step`: removes leftovers of killed saves and renames newer checkpoints, which
  /// belong to a history that is given up, to NAME.discarded.
  void start_from(int64_t step) const;

 private:
  std::filesystem::path folder_;
};

}  // namespace switchyard
