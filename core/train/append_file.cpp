#include "core/train/append_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "core/base/error.h"

namespace switchyard {

AppendFile::AppendFile(std::filesystem::path path) : path_(std::move(path)) {
  std::error_code ignored;
  std::filesystem::create_directories(path_.parent_path(), ignored);
  file_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  check(file_ >= 0, path_.string(), "cannot open: ", std::strerror(errno));
}

AppendFile::~AppendFile() { ::close(file_); }

void AppendFile::append(const std::string& text) {
  const ssize_t written = ::write(file_, text.data(), text.size());
  check(written == static_cast<ssize_t>(text.size()), path_.string(),
        "cannot write: ", written < 0 ? std::strerror(errno) : "disk is full");
}

void AppendFile::sync() {
  check(::fsync(file_) == 0, path_.string(), "cannot sync: ", std::strerror(errno));
}

}  // namespace switchyard
