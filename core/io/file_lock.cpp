#include "core/io/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "core/base/error.h"

namespace switchyard {
namespace {

/// A file descriptor that holds the lock, or -1 where another holder has it.
int lock(const std::filesystem::path& path, int operation) {
  std::filesystem::create_directories(path.parent_path());
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  check(file >= 0, path.string(), "cannot be opened: ", std::strerror(errno));
  int code = -1;
  do {
    code = ::flock(file, operation);
  } while (code != 0 && errno == EINTR);
  if (code == 0) return file;
  const int error = errno;
  ::close(file);
  check(error == EWOULDBLOCK, path.string(), "cannot be locked: ", std::strerror(error));
  return -1;
}

}  // namespace

FileLock FileLock::wait(const std::filesystem::path& path) { return FileLock(lock(path, LOCK_EX)); }

std::optional<FileLock> FileLock::try_lock(const std::filesystem::path& path) {
  const int file = lock(path, LOCK_EX | LOCK_NB);
  if (file < 0) return std::nullopt;
  return FileLock(file);
}

FileLock::FileLock(FileLock&& other) noexcept : file_(std::exchange(other.file_, -1)) {}

FileLock::~FileLock() {
  if (file_ >= 0) ::close(file_);
}

}  // namespace switchyard
