#include "datasets/folder.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/io/sha256.h"

namespace switchyard {
namespace fs = std::filesystem;

std::vector<std::string> subfolders(const fs::path& folder) {
  check(fs::is_directory(folder), folder.string(), "no such folder");
  std::vector<std::string> out;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (entry.is_directory() && name[0] != '.') out.push_back(name);
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::vector<std::string> stems_of(const fs::path& folder, const std::string& extension) {
  check(fs::is_directory(folder), folder.string(), "no such folder");
  std::vector<std::string> out;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (entry.is_regular_file() && name.size() > extension.size() && name.ends_with(extension))
      out.push_back(name.substr(0, name.size() - extension.size()));
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::string hash_of_files(const fs::path& root, const std::vector<fs::path>& files,
                          const std::string& options) {
  Sha256 hash;
  hash.update(options);
  for (const fs::path& file : files) {
    hash.update(cat("\n", file.lexically_relative(root).generic_string(), " ", sha256_file(file)));
  }
  return hash.hex();
}

}  // namespace switchyard
