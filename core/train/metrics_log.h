#pragma once

#include <map>

#include "core/train/append_file.h"

namespace switchyard {

using Metrics = std::map<std::string, double>;

/// metrics.jsonl (the truth): one object per row, {"step": 20, "loss": 0.5, ...}; non-finite
/// numbers are null. metrics.csv: the same as rows "step,name,value". Neither holds a time.
class MetricsLog {
 public:
  /// Keeps the rows up to `keep_until` and drops the rest (0: all), so that a resumed run goes on
  /// where its checkpoint was; a line that was cut off is dropped too.
  MetricsLog(const std::filesystem::path& run_folder, int64_t keep_until);
  void write(int64_t step, const Metrics& row);
  /// Before a checkpoint, so that its steps are on disk.
  void sync();

 private:
  AppendFile jsonl_, csv_;
};

}  // namespace switchyard
