#pragma once

#include "core/io/safetensors.h"
#include "domains/diffusion/model/dit.h"

namespace switchyard {

/// The network of a node `model` {type: dit, ...} with as many classes and domains as the tables of
/// `weights` have rows, less one; the classes of the node, and no domains, where there is no table.
/// Errors: unknown key or site.
std::unique_ptr<Module> bare_dit(const ConfigNode& model, const NamedTensors& weights);

}  // namespace switchyard
