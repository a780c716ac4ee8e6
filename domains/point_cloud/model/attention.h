#pragma once
// Serialized attention (Point Transformer V3, section 4.2).

#include <optional>

#include "core/moe/sub_layer.h"
#include "core/nn/linear.h"
#include "domains/point_cloud/model/point_level.h"
#include "domains/point_cloud/model/relative_position.h"

namespace switchyard {

/// Names as in Pointcept's configs. The upcasts compute the scores, or the softmax alone, in float
/// and return to the type of the input; in double they lower the precision, as published.
struct AttentionConfig {
  int64_t channels = 16, heads = 1, patch_size = 48;
  PatchMode mode = PatchMode::Varlen;
  bool qkv_bias = true;
  std::optional<double> qk_scale;  ///< none: (channels / heads)^-0.5
  bool enable_rpe = false;         ///< relative position bias
  bool upcast_attention = false, upcast_softmax = false;
};

/// softmax(q k^T scale + bias) v inside each patch along one curve. Published tensors:
/// qkv.{weight,bias}, rpe.rpe_table and whatever `proj` publishes under proj.
class SerializedAttention : public Module {
 public:
  SerializedAttention(const AttentionConfig& config, std::unique_ptr<SubLayer> proj);
  /// x [N, C] -> [N, C]; `row`: the level's curve.
  at::Tensor forward(const at::Tensor& x_NC, PointLevel& level, int64_t row,
                     ForwardContext& context);
  /// The same before the output projection. Without upcast the probabilities are never stored.
  at::Tensor attend(const at::Tensor& x_NC, PointLevel& level, int64_t row) const;
  /// The probabilities [P, H, L, L] of each group of patches of equal length, see PatchGroups.
  std::vector<at::Tensor> probabilities(const at::Tensor& x_NC, PointLevel& level,
                                        int64_t row) const;

 private:
  /// P patches of equal length: q, k, v [P, H, L, C/H], bias [P, H, L, L] or undefined.
  struct Patch {
    at::Tensor q, k, v, bias;
  };
  std::vector<Patch> split(const at::Tensor& x_NC, PointLevel& level, int64_t row) const;
  at::Tensor softmax(const Patch& patch) const;
  at::Tensor attend(const Patch& patch) const;

  AttentionConfig config_;
  Linear* qkv_;
  RelativePosition* rpe_ = nullptr;
  SubLayer* proj_;
};

}  // namespace switchyard
