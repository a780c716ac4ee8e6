#pragma once
// A study is a set of planned cells arm x held-out set x seed (DESIGN 8), made by its protocol
// (eval/study/protocol.h). study.json lists all of them and their state before the first one
// starts, so that an interrupted study continues where it stopped. Several processes may work on
// one study: each takes the cells that no other holds.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/base/params.h"
#include "core/io/file_lock.h"

namespace switchyard {

/// Of protocol corruption_sweep: the grid that is evaluated.
struct CorruptionGrid {
  std::vector<std::string> kinds;
  std::vector<int64_t> severities = {1, 2, 3, 4, 5};
  static void declare(Fields<CorruptionGrid>& f);
};

/// Of protocol few_shot: how a trained model is adapted.
struct FewShotParams {
  std::vector<int64_t> shots = {1, 4};
  int64_t steps = 50;
  double lr_factor = 0.1;
  static void declare(Fields<FewShotParams>& f);
};

struct StudyParams {
  std::string protocol = "seen_unseen";
  std::vector<std::string> arms = {"moe", "active"};
  std::vector<int64_t> seeds = {0};
  int64_t jobs = 1;
  bool conclusions = true;
  CorruptionGrid corruption;
  FewShotParams few_shot;

  static void declare(Fields<StudyParams>& f);
};

/// Values of study.protocol; what each does: eval/study/protocol.h.
const std::vector<std::string>& protocol_names();

enum class CellState { Planned, Trained, Evaluated };

struct StudyCell {
  std::string arm, holdout;
  int64_t seed = 0;
  CellState state = CellState::Planned;

  /// Below the study folder: cells/<arm>/<holdout>/seed<k>, an ordinary run folder.
  std::filesystem::path folder() const;
};

class Study {
 public:
  /// Writes study.json. Error: no cell.
  static Study create(const std::filesystem::path& folder, const std::string& protocol,
                      std::vector<StudyCell> cells, const std::string& experiment,
                      const std::vector<std::string>& overrides);
  /// Errors: no study.json, damaged.
  static Study open(const std::filesystem::path& folder);
  static bool is_study(const std::filesystem::path& folder);

  const std::filesystem::path& folder() const { return folder_; }
  const std::vector<StudyCell>& cells() const { return cells_; }
  /// Number of cells that are not evaluated.
  int64_t unfinished() const;
  const std::vector<std::string>& overrides() const { return overrides_; }
  const std::string& experiment() const { return experiment_; }
  const std::string& protocol() const { return protocol_; }
  std::filesystem::path cell_folder(const StudyCell& cell) const { return folder_ / cell.folder(); }
  /// Takes a cell for this process; nothing where another one holds it. Its state is up to date
  /// then.
  std::optional<FileLock> claim(size_t cell);
  /// Saves study.json, with what other processes have saved.
  void set_state(size_t cell, CellState state);
  /// Takes over what other processes have saved.
  void refresh();

 private:
  void save() const;
  FileLock lock() const;

  std::filesystem::path folder_;
  std::string experiment_, protocol_;
  std::vector<std::string> overrides_;
  std::vector<StudyCell> cells_;
};

}  // namespace switchyard
