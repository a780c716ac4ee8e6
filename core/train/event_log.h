#pragma once

#include <map>
#include <optional>

#include "core/train/append_file.h"

namespace switchyard {

/// Scalars for TensorBoard: RUN/tb/events.out.tfevents.0.switchyard, TFRecords that hold
/// tensorflow.Event (wall_time, step, summary of tag and simple_value). It is a view of
/// metrics.jsonl with wall times, so equal runs differ in it.
class EventLog {
 public:
  /// Keeps the events up to step `keep_until` and drops the rest, like MetricsLog; a torn record is
  /// dropped too.
  EventLog(const std::filesystem::path& run_folder, int64_t keep_until);
  /// One event with all values of `row`; NaN and infinity are stored as they are.
  void write(int64_t step, const std::map<std::string, double>& row);
  void sync() { file_.sync(); }

 private:
  AppendFile file_;
};

/// Step of a serialised Event (0 where it has none); null if the bytes are no Event.
std::optional<int64_t> step_of_event(std::string_view event);

}  // namespace switchyard
