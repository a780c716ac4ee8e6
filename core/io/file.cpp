#include "core/io/file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <fstream>

#include "core/base/error.h"

namespace switchyard {
namespace fs = std::filesystem;
namespace {

/// Closes a descriptor at the end of a scope.
struct Descriptor {
  explicit Descriptor(int fd) : fd(fd) {}
  ~Descriptor() {
    if (fd >= 0) ::close(fd);
  }
  int fd;
};

std::string reason() { return std::strerror(errno); }

void sync_path(const fs::path& path, int flags) {
  Descriptor file(::open(path.c_str(), flags | O_CLOEXEC));
  check(file.fd >= 0 && ::fsync(file.fd) == 0, path.string(), "cannot sync: ", reason());
}

fs::path folder_of(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

fs::path temporary_name(const fs::path& path) {
  return path.string() + ".tmp-" + std::to_string(::getpid());
}

void make_parent(const fs::path& path) {
  std::error_code error;
  fs::create_directories(folder_of(path), error);
  check(!error, path.string(), "cannot make the folder: ", error.message());
}

/// Runs `body`; if it fails, the temporary file or folder is removed.
void guarded(const fs::path& path, const fs::path& temporary, const std::function<void()>& body) {
  std::error_code ignored;
  try {
    body();
  } catch (const fs::filesystem_error& error) {
    fs::remove_all(temporary, ignored);
    fail(path.string(), "cannot write (the old one is kept): ", error.code().message());
  } catch (...) {
    fs::remove_all(temporary, ignored);
    throw;
  }
}

/// The two folders change places in one step where the file system can do that.
void replace_folder(const fs::path& temporary, const fs::path& path) {
  if (!fs::exists(path)) return fs::rename(temporary, path);
  if (::renameat2(AT_FDCWD, temporary.c_str(), AT_FDCWD, path.c_str(), RENAME_EXCHANGE) != 0) {
    const fs::path old = temporary.string() + ".old";
    fs::rename(path, old);
    fs::rename(temporary, path);
    fs::rename(old, temporary);
  }
  fs::remove_all(temporary);
}

}  // namespace

std::shared_ptr<const MappedFile> MappedFile::open(const fs::path& path) {
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  check(file.fd >= 0, path.string(), "cannot open: ", reason());
  struct stat status;
  check(::fstat(file.fd, &status) == 0 && S_ISREG(status.st_mode), path.string(),
        "is not a regular file");
  std::shared_ptr<MappedFile> mapped(new MappedFile);
  mapped->path_ = path;
  mapped->size_ = static_cast<size_t>(status.st_size);
  if (mapped->size_ == 0) return mapped;
  void* data = ::mmap(nullptr, mapped->size_, PROT_READ, MAP_PRIVATE, file.fd, 0);
  check(data != MAP_FAILED, path.string(), "cannot map: ", reason());
  mapped->data_ = static_cast<const std::byte*>(data);
  return mapped;
}

MappedFile::~MappedFile() {
  if (data_) ::munmap(const_cast<std::byte*>(data_), size_);
}

std::string read_text(const fs::path& path, size_t limit) {
  const auto file = MappedFile::open(path);
  const auto bytes = file->bytes();
  check(bytes.size() <= limit, path.string(), "is too large: got ", bytes.size(),
        " bytes, expected at most ", limit);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void write_atomic(const fs::path& path, const std::function<void(std::ostream&)>& write) {
  make_parent(path);
  const fs::path temporary = temporary_name(path);
  guarded(path, temporary, [&] {
    std::ofstream out(temporary, std::ios::binary | std::ios::trunc);
    check(out.good(), temporary.string(), "cannot create: ", reason());
    write(out);
    out.close();
    check(out.good(), path.string(), "cannot write (the old file is kept): ", reason());
    sync_path(temporary, O_WRONLY);
    fs::rename(temporary, path);
    sync_path(folder_of(path), O_RDONLY | O_DIRECTORY);
  });
}

void write_text(const fs::path& path, const std::string& text) {
  write_atomic(path, [&](std::ostream& out) {
    out.write(text.data(), static_cast<std::streamsize>(text.size()));
  });
}

void write_folder_atomic(const fs::path& path, const std::function<void(const fs::path&)>& fill) {
  make_parent(path);
  const fs::path temporary = temporary_name(path);
  guarded(path, temporary, [&] {
    fs::remove_all(temporary);
    fs::create_directory(temporary);
    fill(temporary);
    sync_path(temporary, O_RDONLY | O_DIRECTORY);
    replace_folder(temporary, path);
    sync_path(folder_of(path), O_RDONLY | O_DIRECTORY);
  });
}

}  // namespace switchyard
