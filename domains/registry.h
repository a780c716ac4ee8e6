#pragma once

#include "core/base/registry.h"
#include "core/train/task.h"

namespace switchyard {

/// Task types by name; a factory gets the whole resolved config besides its own node.
Registry<Task, const ConfigNode&>& tasks();
/// Registers the tasks and golden kinds of every modality.
void register_domains();

}  // namespace switchyard
