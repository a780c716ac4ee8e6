#pragma once
// Dataset types by name, as in `dataset: {type: shards, root: ...}`.

#include "core/base/registry.h"
#include "datasets/dataset.h"

namespace switchyard {

Registry<Dataset>& datasets();

/// Adds shards, npy_folder, bin_label, subset, concat and transformed. Calling it again does
/// nothing.
void register_datasets();

}  // namespace switchyard
