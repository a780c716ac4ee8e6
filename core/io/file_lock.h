#pragma once
// Advisory locks between processes that share a folder.

#include <filesystem>
#include <optional>

namespace switchyard {

/// Holds `path` (created empty if missing) until destruction or the end of the process, however it
/// ends. Processes on other machines are excluded where the file system passes flock(2) on.
class FileLock {
 public:
  /// Waits for another holder. Error: `path` cannot be created or locked.
  static FileLock wait(const std::filesystem::path& path);
  /// Nothing where another holder has it. Error: `path` cannot be created or locked.
  static std::optional<FileLock> try_lock(const std::filesystem::path& path);

  FileLock(FileLock&& other) noexcept;
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;
  ~FileLock();

 private:
  explicit FileLock(int file) : file_(file) {}
  int file_;
};

}  // namespace switchyard
