#include "apps/study_jobs.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ATen/detail/CUDAHooksInterface.h>

#include <cstdlib>
#include <cstring>

#include "apps/run_config.h"
#include "core/base/log.h"
#include "eval/study/job_gpu.h"

namespace switchyard {
namespace {

constexpr char kProgram[] = "/proc/self/exe", kVisible[] = "CUDA_VISIBLE_DEVICES";

/// This process's environment, but for the GPU.
std::vector<std::string> environment(const std::string& gpu) {
  std::vector<std::string> out;
  for (char** entry = environ; *entry; ++entry)
    if (gpu.empty() || !std::string_view(*entry).starts_with(cat(kVisible, "=")))
      out.push_back(*entry);
  if (!gpu.empty()) out.push_back(cat(kVisible, "=", gpu));
  return out;
}

pid_t start(const std::filesystem::path& folder, const std::filesystem::path& log,
            const std::string& gpu) {
  std::string resume = "resume=" + folder.string();
  std::string words[] = {"switchyard", "sweep", resume, "--cells-only"};
  char* arguments[] = {words[0].data(), words[1].data(), words[2].data(), words[3].data(), nullptr};
  auto variables = environment(gpu);
  std::vector<char*> entries;
  for (auto& v : variables) entries.push_back(v.data());
  entries.push_back(nullptr);
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, log.c_str(), O_WRONLY | O_CREAT | O_TRUNC,
                                   0644);
  posix_spawn_file_actions_adddup2(&files, STDOUT_FILENO, STDERR_FILENO);
  pid_t process = -1;
  const int error = ::posix_spawn(&process, kProgram, &files, nullptr, arguments, entries.data());
  posix_spawn_file_actions_destroy(&files);
  check(error == 0, "study.jobs", "a process cannot be started: ", std::strerror(error));
  return process;
}

/// Exit code; 128 + signal of one that was killed.
int wait_for(pid_t process) {
  int status = 0;
  while (::waitpid(process, &status, 0) < 0 && errno == EINTR) continue;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

// By way of the other constructor: where a later process cannot be started, those that run are
// ended.
StudyJobs::StudyJobs(const std::filesystem::path& folder, int64_t count) : StudyJobs() {
  if (count > 0) {
    std::filesystem::create_directories(folder / "jobs");
    log::info(count, " more processes; they write to ", (folder / "jobs").string());
  }
  const int64_t gpus = at::detail::getCUDAHooks().deviceCount();
  for (int64_t i = 1; i <= count; ++i) {
    const auto log = folder / "jobs" / cat(i, ".log");
    running_.push_back({start(folder, log, job_gpu(i, std::getenv(kVisible), gpus)), log});
  }
}

StudyJobs::~StudyJobs() {
  for (const Job& job : running_) ::kill(job.process, SIGTERM);
  for (const Job& job : running_) wait_for(job.process);
}

bool StudyJobs::wait() {
  bool finished = true;
  while (!running_.empty()) {
    const Job job = running_.back();
    const int code = wait_for(job.process);
    running_.pop_back();
    check(code == 0 || code == kExitSaved, "study.jobs", "a process ended with code ", code,
          "; see ", job.log.string());
    finished = finished && code == 0;
  }
  return finished;
}

}  // namespace switchyard
