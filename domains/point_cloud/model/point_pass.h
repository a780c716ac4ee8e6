#pragma once
// What goes through the backbone besides the features.

#include <map>
#include <optional>

#include "core/moe/forward_context.h"
#include "domains/point_cloud/model/point_level.h"

namespace switchyard {

/// Features at one resolution.
struct PointState {
  std::shared_ptr<PointLevel> level;
  at::Tensor feat_NC;
  at::Tensor sparse_NC;  ///< what the next CPE convolution reads; undefined: feat
};

/// Hooks of one pass, all optional. They never change a result except by the given draws.
struct PointHooks {
  /// Called with module name and features: "embedding", "enc.enc1.down", "dec.dec0.up.sparse",
  /// blocks, and the branches "<block>.cpe", "<block>.attn", "<block>.mlp" before drop path.
  std::function<void(const std::string&, const at::Tensor&)> observe;
  /// Given order permutations: row 0 for the input, row s for pooling s. Empty: drawn or identity.
  std::vector<std::vector<int64_t>> order_rows;
  /// Given drop path masks [N], 1 = kept, keyed "<block>/attn" and "<block>/mlp".
  std::map<std::string, at::Tensor> drop_mask;

  void see(const std::string& name, const at::Tensor& value) const {
    if (observe) observe(name, value);
  }
};

}  // namespace switchyard
