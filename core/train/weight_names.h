#pragma once

#include <string>
#include <vector>

#include "core/io/safetensors.h"

namespace switchyard {

/// A module whose weights are published under other names (and shapes) than its own too.
class WeightNames {
 public:
  virtual ~WeightNames() = default;
  /// All naming schemes, the module's own first.
  virtual std::vector<std::string> schemes() const = 0;
  /// The tensors of a file of any scheme under the module's own names; what belongs to no scheme
  /// keeps its name. `note` gets what was done, if anything. Error: two names become one.
  virtual NamedTensors to_own(const NamedTensors& tensors, std::string& note) const = 0;
  /// Tensors with the module's own names under those of `scheme`, one of schemes().
  virtual NamedTensors to_scheme(const NamedTensors& tensors, const std::string& scheme) const = 0;
};

}  // namespace switchyard
