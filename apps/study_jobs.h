#pragma once

#include <sys/types.h>

#include <filesystem>
#include <vector>

namespace switchyard {

/// Further processes `switchyard sweep resume=FOLDER --cells-only` at a study, spread over the GPUs
/// of this machine. What they print goes to FOLDER/jobs/<n>.log. Those still running at destruction
/// are told to save and stop.
class StudyJobs {
 public:
  /// Error: a process cannot be started.
  StudyJobs(const std::filesystem::path& folder, int64_t count);
  ~StudyJobs();
  StudyJobs(const StudyJobs&) = delete;
  StudyJobs& operator=(const StudyJobs&) = delete;

  /// Waits for all. False if a signal stopped one (it has saved). Error: one failed; names its log.
  bool wait();

 private:
  StudyJobs() = default;
  struct Job {
    pid_t process;
    std::filesystem::path log;
  };
  std::vector<Job> running_;
};

}  // namespace switchyard
