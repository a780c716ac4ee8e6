#pragma once
// Ways to compute a MoE layer from logits: ours and those that are compared with it.

#include <functional>

#include "core/bench/moe_case.h"

namespace switchyard {

struct MoeVariant {
  std::string name, what;
  bool waits;  ///< reads from the device while it runs: cannot be captured in a graph
  std::function<at::Tensor(const MoeCase&)> run;
  /// Not timed: what `run` gets in place of the case; empty: the case itself. Only the forward pass
  /// is timed then.
  std::function<MoeCase(const MoeCase&)> prepare = {};
};

/// ours, ours-grouped, ours-top-p, loop, grouped-add, grouped-permute compute the layer, y [T, C];
/// route, route-top-p and route-torch only its routing; gemms the two products of at::_grouped_mm
/// on sorted rows alone.
const std::vector<MoeVariant>& moe_variants();
/// Errors: unknown name, with the valid ones.
const MoeVariant& moe_variant(const std::string& name);

}  // namespace switchyard
