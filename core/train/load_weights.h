#pragma once

#include <filesystem>

#include "core/io/safetensors.h"
#include "core/nn/module.h"

namespace switchyard {

/// Result of loading weights only.
struct LoadReport {
  int64_t matched = 0;
  std::vector<std::string> missing;     ///< wanted by the model, not in the file
  std::vector<std::string> unexpected;  ///< in the file, unknown to the model
  std::vector<std::string> reshaped;    ///< in both, of another shape; not loaded
  bool complete() const { return missing.empty() && unexpected.empty() && reshaped.empty(); }
  /// One line with the counts and the first names of each kind.
  std::string text() const;
};

/// The safetensors file that `checkpoint=PATH` means. `path`: such a file, a checkpoint folder, or
/// a run folder (its newest checkpoint). With `use_ema` the averaged weights where the folder has
/// them.
std::filesystem::path weights_file(const std::filesystem::path& path, bool use_ema = false);

/// Copies every tensor of `path` (see weights_file) into the view of its name; optimizer and step
/// are not touched. Errors: unreadable or damaged file; if `strict`, a report that is not complete
/// (nothing is changed then); if nothing at all matches.
LoadReport load_weights(Module& model, const std::filesystem::path& path, bool strict = true,
                        bool use_ema = false);

/// All published tensors of a module, buffers included.
NamedTensors weights_of(const Module& model);

}  // namespace switchyard
