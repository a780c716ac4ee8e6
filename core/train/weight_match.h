#pragma once
// Tensors of a file beside those that a model publishes.

#include "core/io/safetensors.h"
#include "core/nn/module.h"

namespace switchyard {

/// How the tensors of a file fit a model.
struct LoadReport {
  int64_t matched = 0;
  std::vector<std::string> missing;     ///< wanted by the model, not in the file
  std::vector<std::string> unexpected;  ///< in the file, unknown to the model
  std::vector<std::string> reshaped;    ///< in both, of another shape: "NAME [got] for [expected]"
  std::string renamed;                  ///< how prefixes were changed; empty: not at all
  bool complete() const { return missing.empty() && unexpected.empty() && reshaped.empty(); }
  /// One line with the counts and the first names of each kind.
  std::string text() const;
};

struct WeightMatch {
  LoadReport report;
  NamedTensors fitting;  ///< under the model's names, in the model's order
};

/// Pairs by name, after the prefixes of published checkpoints: "module." (data parallel) goes where
/// every name has it; "backbone." (a network inside a segmentor) is taken off or put on where more
/// of the model's names are met that way. A model with WeightNames translates in between. A name
/// that has no partner is left as it is.
WeightMatch match_weights(const Module& model, const NamedTensors& tensors);

/// The tensors with `prefix` taken off the names that have it. Errors, with `where`: no name has
/// it; two names become one.
NamedTensors strip_prefix(const NamedTensors& tensors, const std::string& prefix,
                          const std::string& where);
/// Takes "module." off where every name has it.
NamedTensors strip_module(NamedTensors tensors);

}  // namespace switchyard
