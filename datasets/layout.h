#pragma once
// One entry of the table that `switchyard datasets check DIR` goes through (check.h).

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "datasets/dataset.h"

namespace switchyard {

/// How a reader's folder is recognised and checked. A reader's own file defines a function that
/// returns its entry.
struct Layout {
  using Lines = std::vector<std::string>;
  std::string name;   ///< of the dataset type that reads it
  std::string shape;  ///< what the folder looks like, for the error about an unknown layout
  /// Looks at names only. Never throws on a folder of another layout.
  bool (*found)(const std::filesystem::path& folder);
  /// Reads everything. Lines: the layout first, then counts, then what is missing and the command
  /// that makes it. An Error names what is damaged.
  Lines (*check)(const std::filesystem::path& folder);
};

/// Some folder exactly `depth` levels below `folder` (0: itself) holds `name`.
bool holds_below(const std::filesystem::path& folder, int depth, const std::string& name);

/// What a check says of samples.
class SampleCounts {
 public:
  void add(const Sample& sample);
  /// Samples per domain/split, rows per key, rows per label (with its name where there is one).
  void write(const std::vector<std::string>& class_names, Layout::Lines& lines) const;
  /// "missing: KEY in N of M samples" for each of `keys` that samples lack.
  void write_missing(const std::vector<std::string>& keys, Layout::Lines& lines) const;
  /// Largest label + 1; 0 where nothing is labelled.
  int64_t classes() const;

 private:
  using Counts = std::map<std::string, int64_t>;
  int64_t total_ = 0;
  Counts samples_, rows_, samples_with_;  ///< by domain/split, by key, by key
  std::map<int64_t, int64_t> labels_;
};

/// Reads every sample and adds its counts, the class names and the hash.
void add_samples(const Dataset& dataset, Layout::Lines& lines);

/// "make it: switchyard pack FOLDER.shards 'dataset={type: NAME, root: FOLDER, OPTIONS}'", or
/// without `options`, which begin with ", ".
std::string pack_command(const std::string& type, const std::filesystem::path& folder,
                         const std::string& options = "");

}  // namespace switchyard
