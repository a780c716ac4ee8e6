#pragma once
// What readers of folders share: sorted listings and the hash of a data set's files.

#include <filesystem>
#include <string>
#include <vector>

namespace switchyard {

/// Names of the folders directly inside, sorted; hidden ones are left out. Error: no such folder.
std::vector<std::string> subfolders(const std::filesystem::path& folder);
/// Stems of the files directly inside that end in `extension` (".bin"), sorted.
std::vector<std::string> stems_of(const std::filesystem::path& folder,
                                  const std::string& extension);

/// SHA-256 over names (relative to `root`), contents and `options` (what else shapes the samples).
/// Reads every file once: pack large data (shards carry their hashes).
std::string hash_of_files(const std::filesystem::path& root,
                          const std::vector<std::filesystem::path>& files,
                          const std::string& options);

}  // namespace switchyard
