#pragma once
// One PTv3 block: x += CPE(sparse); x += drop(Attn(LN x)); x += drop(MLP(LN x)). With `pre_norm`
// off the norms stand behind the sums.

#include "core/config/node.h"
#include "domains/point_cloud/model/attention.h"
#include "domains/point_cloud/model/point_norm.h"
#include "domains/point_cloud/model/point_pass.h"
#include "domains/point_cloud/model/subm_conv_layer.h"

namespace switchyard {

struct PointBlockConfig {
  AttentionConfig attention;  ///< its channels are the block's
  double mlp_ratio = 4, drop_path = 0;
  int64_t order_row = 0;  ///< curve of the attention
  bool pre_norm = true;
  bool fast_conv = true;
  PointNormConfig norm = PointNormConfig::layer();
  std::optional<ConfigNode> attn_out_proj = {};  ///< MoE instead of attn.proj; none: linear
  std::optional<ConfigNode> ffn = {};            ///< MoE instead of mlp.0; none: two-layer GELU MLP
};

/// Published tensors: cpe.{0,1,2}, norm1.0, attn, norm2.0, mlp.0. `name` stands in sites, hooks and
/// random streams and may be empty.
class PointBlock : public Module {
 public:
  PointBlock(const PointBlockConfig& config, std::string name);
  void forward(PointState& state, const PointHooks& hooks, ForwardContext& context);

 private:
  at::Tensor drop(const at::Tensor& x_NC, const std::string& branch, const PointHooks& hooks,
                  const ForwardContext& context) const;

  std::string prefix_;
  double drop_path_;
  int64_t order_row_;
  bool pre_norm_;
  SubmConv* cpe_conv_;
  Linear* cpe_linear_;
  PointNorm *cpe_norm_, *norm1_, *norm2_;
  SerializedAttention* attn_;
  SubLayer* mlp_;
};

}  // namespace switchyard
