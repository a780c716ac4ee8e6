#pragma once
// Read access to one zip archive (libzip).

#include <filesystem>
#include <optional>
#include <string>

struct zip;

namespace switchyard::scan {

class ZipArchive {
 public:
  /// Errors: missing or not a zip archive.
  explicit ZipArchive(const std::filesystem::path& path);
  ~ZipArchive();
  ZipArchive(const ZipArchive&) = delete;
  ZipArchive& operator=(const ZipArchive&) = delete;

  /// Content of entry `name` (letter case ignored), or nothing if there is no such entry.
  /// Errors: damaged entry, or more than 256 MB unpacked. Not thread-safe.
  std::optional<std::string> read(const std::string& name) const;

 private:
  std::filesystem::path path_;
  zip* zip_ = nullptr;
};

}  // namespace switchyard::scan
