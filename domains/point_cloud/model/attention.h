#pragma once

#include <ATen/ops/linear.h>

#include <optional>

#include "core/moe/sub_layer.h"
#include "core/nn/linear.h"
#include "domains/point_cloud/model/hooks.h"
#include "domains/point_cloud/model/point_level.h"

namespace switchyard {

/// A dense linear map at a MoE site.
class DenseSite : public SubLayer {
 public:
  DenseSite(int64_t in, int64_t out) : weight_(add_parameter("weight", {out, in}, Init::fan_in(in))),
                                       bias_(add_parameter("bias", {out}, Init::fan_in(in))) {}
  at::Tensor forward(const at::Tensor& x_TC, ForwardContext&) override { return at::linear(x_TC, weight_, bias_); }

 private:
  at::Tensor &weight_, &bias_;
};

struct AttentionShape {
  int64_t channels = 32, heads = 2, patch_size = 64;
  PatchMode mode = PatchMode::Varlen;
  int64_t order_row = 0;
  bool qkv_bias = true;
  std::optional<double> qk_scale;  ///< null: (channels / heads)^-1/2
};

/// Attention inside patches of a serialized order (PTv3; spec point-moe 1.5). Published tensors: qkv.*
/// and proj.*; `proj` is a MoE site.
class SerializedAttention : public Module {
 public:
  SerializedAttention(const AttentionShape& shape, std::unique_ptr<SubLayer> projection);
  at::Tensor forward(const at::Tensor& x_NC, PointLevel& level, ForwardContext& context, const PointHooks& hooks,
                     const std::string& name);

 private:
  AttentionShape shape_;
  Linear& qkv_;
  SubLayer& proj_;
};

/// q, k, v [slots, H, D] -> [slots, H, D]; patches are cu_seqlens[i] .. cu_seqlens[i+1]-1.
at::Tensor patch_attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const at::Tensor& cu_seqlens,
                           double scale);

}  // namespace switchyard
