#pragma once

#include <filesystem>
#include <string>

namespace switchyard {

/// A file that only grows. Every line reaches the system at once, so a killed process loses none.
class AppendFile {
 public:
  /// Makes the folder. Errors: cannot open.
  explicit AppendFile(std::filesystem::path path);
  ~AppendFile();
  AppendFile(const AppendFile&) = delete;
  AppendFile& operator=(const AppendFile&) = delete;
  /// Adds `text` as it is. Errors: cannot write (full disk).
  void append(const std::string& text);
  void sync();

 private:
  std::filesystem::path path_;
  int file_;
};

}  // namespace switchyard
