#pragma once

#include "core/base/registry.h"
#include "core/train/task.h"

namespace switchyard {

/// Adds task "point_cloud_segmentation", and the golden kinds of set point_moe.
void register_point_cloud(Registry<Task, const ConfigNode&>& tasks);

}  // namespace switchyard
