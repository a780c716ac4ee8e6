#pragma once
// Serialized attention (Point Transformer V3, section 4.2) without positional term.

#include "core/moe/sub_layer.h"
#include "core/nn/linear.h"
#include "domains/point_cloud/model/point_level.h"

namespace switchyard {

/// softmax(q k^T / sqrt(C/H)) v inside each patch along one curve. Published tensors:
/// qkv.{weight,bias} and whatever `proj` publishes under proj.
class SerializedAttention : public Module {
 public:
  SerializedAttention(int64_t channels, int64_t heads, int64_t patch_size, PatchMode mode,
                      std::unique_ptr<SubLayer> proj);
  /// x [N, C] -> [N, C]; `row`: the level's curve.
  at::Tensor forward(const at::Tensor& x_NC, PointLevel& level, int64_t row,
                     ForwardContext& context);
  /// The same before the output projection.
  at::Tensor attend(const at::Tensor& x_NC, PointLevel& level, int64_t row) const;

 private:
  int64_t heads_, patch_size_;
  PatchMode mode_;
  Linear* qkv_;
  SubLayer* proj_;
};

}  // namespace switchyard
