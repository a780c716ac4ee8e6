#pragma once
// `switchyard datasets check DIR`.

#include <filesystem>
#include <string>
#include <vector>

namespace switchyard {

/// Finds the layout of a folder (shards, npy_folder, bin_label), reads every sample, verifies
/// hashes. Returns one line per finding: the layout, samples per domain and split, classes, label
/// counts. An Error names what is missing or damaged; the first one where there are several.
std::vector<std::string> check_dataset(const std::filesystem::path& folder);

}  // namespace switchyard
