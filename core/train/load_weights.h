#pragma once

#include <filesystem>

#include "core/train/weight_match.h"

namespace switchyard {

/// The file of weights that `checkpoint=PATH` means. `path`: a .safetensors or .pth file, a
/// checkpoint folder, or a run folder (its newest checkpoint). With `use_ema` the averaged weights
/// where the folder has them.
std::filesystem::path weights_file(const std::filesystem::path& path, bool use_ema = false);

/// Copies every tensor of `path` (see weights_file) into the view that match_weights finds for it;
/// optimizer and step are not touched. Errors: unreadable or damaged file; if `strict`, a report
/// that is not complete (nothing is changed then); if nothing at all matches.
LoadReport load_weights(Module& model, const std::filesystem::path& path, bool strict = true,
                        bool use_ema = false);

/// All published tensors of a module, buffers included.
NamedTensors weights_of(const Module& model);

}  // namespace switchyard
