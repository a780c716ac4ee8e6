#pragma once
// Files: memory-mapped reading, atomic writing.

#include <cstddef>
#include <filesystem>
#include <functional>
#include <iosfwd>
#include <memory>
#include <span>
#include <string>

namespace switchyard {

/// Read-only mapping of a whole file; the pages stay valid while a copy of the pointer lives.
class MappedFile {
 public:
  /// Errors: missing, unreadable, not a regular file.
  static std::shared_ptr<const MappedFile> open(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::span<const std::byte> bytes() const { return {data_, size_}; }
  const std::filesystem::path& path() const { return path_; }

 private:
  MappedFile() = default;
  std::filesystem::path path_;
  const std::byte* data_ = nullptr;
  size_t size_ = 0;
};

/// Errors: missing, unreadable, larger than `limit` bytes.
std::string read_text(const std::filesystem::path& path, size_t limit = size_t{1} << 30);

/// Writes to a temporary name beside `path`, syncs, renames. On any error (full disk included) the
/// old file stays as it was, the temporary one is removed, and an Error is thrown.
void write_atomic(const std::filesystem::path& path,
                  const std::function<void(std::ostream&)>& write);
void write_text(const std::filesystem::path& path, const std::string& text);
/// Same rule for a folder: `fill` gets an empty sibling folder that replaces `path` when it
/// returns.
void write_folder_atomic(const std::filesystem::path& path,
                         const std::function<void(const std::filesystem::path&)>& fill);

}  // namespace switchyard
