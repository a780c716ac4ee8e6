#pragma once

#include <optional>

#include "core/moe/forward_context.h"
#include "core/moe/site_info.h"
#include "core/nn/module.h"

namespace switchyard {

/// A per-token map inside a block, x [T, C] -> [T, C']: a dense sub-layer or a MoE layer. The place
/// where a model lets the config choose is called a site ("enc.enc0.block1.attn.proj").
class SubLayer : public Module {
 public:
  virtual at::Tensor forward(const at::Tensor& x_TC, ForwardContext& context) = 0;
  /// What is routed here; nothing for a dense sub-layer.
  virtual std::optional<SiteInfo> site_info() const { return {}; }
};

}  // namespace switchyard
