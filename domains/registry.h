#pragma once

#include "core/base/registry.h"
#include "core/io/safetensors.h"
#include "core/train/task.h"

namespace switchyard {

/// Task types by name; a factory gets the whole resolved config besides its own node.
Registry<Task, const ConfigNode&>& tasks();
/// Builds the network of a node `model` without data, to see what tensors it has. What data would
/// tell (the number of classes) is read off `weights`, named as the model names them.
using BareModel =
    std::function<std::unique_ptr<Module>(const ConfigNode& model, const NamedTensors& weights)>;
/// By model.type.
std::map<std::string, BareModel>& bare_models();
/// Registers the tasks, models and golden kinds of every modality.
void register_domains();

}  // namespace switchyard
