#pragma once
// Dataset types by name, as in `dataset: {type: shards, root: ...}`.

#include "core/base/registry.h"
#include "datasets/dataset.h"

namespace switchyard {

Registry<Dataset>& datasets();

/// Adds all but the simulator's. Calling it again does nothing.
void register_datasets();

}  // namespace switchyard
