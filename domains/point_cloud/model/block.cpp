#include "domains/point_cloud/model/block.h"

#include "core/moe/layer.h"
#include "domains/point_cloud/model/dense_sub_layers.h"

namespace switchyard {
namespace {

constexpr int64_t kCpeKernel = 3;

std::unique_ptr<SubLayer> moe_at(const ConfigNode& node, int64_t channels,
                                 const std::string& site) {
  return make_moe_layer(parse_params<MoEConfig>(node, "moe"), channels, channels, site);
}

std::unique_ptr<SubLayer> make_proj(const PointBlockConfig& c, const std::string& prefix) {
  if (c.attn_out_proj) return moe_at(*c.attn_out_proj, c.channels, prefix + "attn.proj");
  return std::make_unique<LinearSubLayer>(c.channels);
}

std::unique_ptr<SubLayer> make_mlp(const PointBlockConfig& c, const std::string& prefix) {
  if (c.ffn) return moe_at(*c.ffn, c.channels, prefix + "mlp.0");
  const auto hidden = static_cast<int64_t>(static_cast<double>(c.channels) * c.mlp_ratio);
  return std::make_unique<MlpSubLayer>(c.channels, hidden);
}

at::Tensor draw_mask(int64_t rows, double rate, RandomStream stream) {
  auto mask = at::empty({rows}, at::kDouble);
  double* out = mask.data_ptr<double>();
  for (int64_t i = 0; i < rows; ++i) out[i] = stream.chance(rate) ? 0 : 1;
  return mask;
}

}  // namespace

PointBlock::PointBlock(const PointBlockConfig& c, std::string name)
    : prefix_(name.empty() ? "" : name + "."),
      drop_path_(c.drop_path),
      order_row_(c.order_row),
      pre_norm_(c.pre_norm) {
  cpe_conv_ = &emplace_child<SubmConv>("cpe.0", c.channels, c.channels, kCpeKernel, true);
  cpe_linear_ = &emplace_child<Linear>("cpe.1", c.channels, c.channels);
  cpe_norm_ = &emplace_child<LayerNorm>("cpe.2", c.channels);
  norm1_ = &emplace_child<LayerNorm>("norm1.0", c.channels);
  attn_ = &emplace_child<SerializedAttention>("attn", c.channels, c.heads, c.patch_size, c.mode,
                                              make_proj(c, prefix_));
  norm2_ = &emplace_child<LayerNorm>("norm2.0", c.channels);
  mlp_ = &add_child("mlp.0", make_mlp(c, prefix_));
}

at::Tensor PointBlock::drop(const at::Tensor& x_NC, const std::string& branch,
                            const PointHooks& hooks, const ForwardContext& context) const {
  if (!training() || drop_path_ <= 0) return x_NC;
  const std::string key = prefix_.substr(0, prefix_.size() - !prefix_.empty()) + "/" + branch;
  const auto given = hooks.drop_mask.find(key);
  const auto mask =
      given != hooks.drop_mask.end()
          ? given->second
          : draw_mask(x_NC.size(0), drop_path_, context.random.child("drop_path/" + key));
  return x_NC * (mask.to(x_NC.options()) / (1 - drop_path_)).unsqueeze(1);
}

void PointBlock::forward(PointState& state, const PointHooks& hooks, ForwardContext& context) {
  at::Tensor x = state.feat_NC;
  const auto& sparse = state.sparse_NC.defined() ? state.sparse_NC : x;
  const auto cpe = cpe_norm_->forward(
      cpe_linear_->forward(cpe_conv_->forward(sparse, state.level->neighbors(kCpeKernel))));
  hooks.see(prefix_ + "cpe", cpe);
  x = x + cpe;
  const auto attn =
      attn_->forward(pre_norm_ ? norm1_->forward(x) : x, *state.level, order_row_, context);
  hooks.see(prefix_ + "attn", attn);
  x = x + drop(attn, "attn", hooks, context);
  if (!pre_norm_) x = norm1_->forward(x);
  const auto mlp = mlp_->forward(pre_norm_ ? norm2_->forward(x) : x, context);
  hooks.see(prefix_ + "mlp", mlp);
  x = x + drop(mlp, "mlp", hooks, context);
  if (!pre_norm_) x = norm2_->forward(x);
  state.feat_NC = x;
  state.sparse_NC = at::Tensor();
}

}  // namespace switchyard
