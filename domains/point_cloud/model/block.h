#pragma once

#include "core/nn/norm.h"
#include "domains/point_cloud/model/attention.h"

namespace switchyard {

/// Submanifold convolution with published weight layout (Cout, k, k, k, Cin).
class SubmConv3d : public Module {
 public:
  SubmConv3d(int64_t in, int64_t out, int64_t k, bool bias);
  at::Tensor forward(const at::Tensor& x_NC, PointLevel& level) const;

 private:
  int64_t k_;
  at::Tensor& weight_;
  at::Tensor* bias_ = nullptr;
};

/// MLP of a block: fc1, exact GELU, fc2. A MoE site.
class DenseMlp : public SubLayer {
 public:
  DenseMlp(int64_t channels, int64_t hidden);
  at::Tensor forward(const at::Tensor& x_TC, ForwardContext&) override;

 private:
  Linear &fc1_, &fc2_;
};

struct BlockShape {
  AttentionShape attention;
  double mlp_ratio = 4, drop_path = 0, layer_norm_eps = 1e-5;
  bool pre_norm = true;
};

/// CPE convolution, attention, MLP, each a residual branch (spec point-moe 1.6). Drop path acts per
/// point row. Published tensors: cpe.{0,1,2}, norm1.0, attn, norm2.0, mlp.0.
class PointBlock : public Module {
 public:
  /// `projection`, `mlp`: what stands at the two MoE sites.
  PointBlock(const BlockShape& shape, std::unique_ptr<SubLayer> projection, std::unique_ptr<SubLayer> mlp);
  /// Updates level.feat and level.sparse_feat. `name` labels drop-path draws and observations.
  void forward(PointLevel& level, ForwardContext& context, const PointHooks& hooks, const std::string& name);

 private:
  at::Tensor drop_path(const at::Tensor& branch, ForwardContext& context, const PointHooks& hooks,
                       const std::string& name) const;
  BlockShape shape_;
  SubmConv3d& conv_;
  Linear& linear_;
  LayerNorm &cpe_norm_, &norm1_;
  SerializedAttention& attention_;
  LayerNorm& norm2_;
  SubLayer& mlp_;
};

}  // namespace switchyard
