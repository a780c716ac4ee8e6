#pragma once
// `switchyard datasets check DIR`.
//
// To add a layout: define `Layout NAME_layout()` in the reader's file (datasets/layout.h says what
// an entry holds), declare it in the reader's header, and put it into the list in check.cpp. The
// list is gone through in order and the first entry that finds its layout checks the folder, so an
// entry that looks for rarer names comes before one that looks for common ones.

#include <filesystem>
#include <string>
#include <vector>

namespace switchyard {

/// Finds the layout of a folder, reads every sample, verifies hashes. Returns one line per finding:
/// the layout, samples per domain and split, classes, label counts, what is missing and the command
/// that makes it. An Error names what is damaged (the first where there are several), or for an
/// unknown layout all that are known.
std::vector<std::string> check_dataset(const std::filesystem::path& folder);

}  // namespace switchyard
