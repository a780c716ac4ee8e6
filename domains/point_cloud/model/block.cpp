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
  const int64_t channels = c.attention.channels;
  if (c.attn_out_proj) return moe_at(*c.attn_out_proj, channels, prefix + "attn.proj");
  return std::make_unique<LinearSubLayer>(channels);
}

std::unique_ptr<SubLayer> make_mlp(const PointBlockConfig& c, const std::string& prefix) {
  const int64_t channels = c.attention.channels;
  if (c.ffn) return moe_at(*c.ffn, channels, prefix + "mlp.0");
  const auto hidden = static_cast<int64_t>(static_cast<double>(channels) * c.mlp_ratio);
  return std::make_unique<MlpSubLayer>(channels, hidden);
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
  const int64_t channels = c.attention.channels;
  cpe_conv_ = &emplace_child<SubmConv>("cpe.0", channels, channels, kCpeKernel, true, c.fast_conv);
  cpe_linear_ = &emplace_child<Linear>("cpe.1", channels, channels);
  cpe_norm_ = &emplace_child<PointNorm>("cpe.2", channels, c.norm);
  norm1_ = &emplace_child<PointNorm>("norm1.0", channels, c.norm);
  attn_ = &emplace_child<SerializedAttention>("attn", c.attention, make_proj(c, prefix_));
  norm2_ = &emplace_child<PointNorm>("norm2.0", channels, c.norm);
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
  const auto norm = [&](PointNorm& module, const at::Tensor& y) {
    return module.forward(y, state.level->offset(), context);
  };
  const auto& sparse = state.sparse_NC.defined() ? state.sparse_NC : x;
  const auto cpe =
      norm(*cpe_norm_,
           cpe_linear_->forward(cpe_conv_->forward(sparse, state.level->neighbors(kCpeKernel))));
  hooks.see(prefix_ + "cpe", cpe);
  x = x + cpe;
  const auto attn =
      attn_->forward(pre_norm_ ? norm(*norm1_, x) : x, *state.level, order_row_, context);
  hooks.see(prefix_ + "attn", attn);
  x = x + drop(attn, "attn", hooks, context);
  if (!pre_norm_) x = norm(*norm1_, x);
  const auto mlp = mlp_->forward(pre_norm_ ? norm(*norm2_, x) : x, context);
  hooks.see(prefix_ + "mlp", mlp);
  x = x + drop(mlp, "mlp", hooks, context);
  if (!pre_norm_) x = norm(*norm2_, x);
  state.feat_NC = x;
  state.sparse_NC = at::Tensor();
}

}  // namespace switchyard
