#include "domains/diffusion/model/dit_block.h"

#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/silu.h>

#include "core/base/step_timer.h"
#include "core/moe/layer.h"
#include "core/moe/precision.h"

namespace switchyard {
namespace {

constexpr double kModulatedEps = 1e-6, kHeadEps = 1e-5;

LinearInit xavier(int64_t in, int64_t out) { return {Init::xavier(in, out), Init::constant(0)}; }
LinearInit zero() { return {Init::constant(0), Init::constant(0)}; }

/// In the type that the following product computes in.
Modulated modulate(const ResidualStream& h, const at::Tensor& shift_BD,
                   const at::Tensor& scale_BD) {
  return modulate(h, shift_BD, scale_BD, kModulatedEps, compute_type(h.x_BNC));
}

}  // namespace

DitAttention::DitAttention(int64_t width, int64_t heads, int64_t head_width, bool qk_norm)
    : heads_(heads), head_width_(head_width) {
  const int64_t inner = heads * head_width;
  qkv_ = &emplace_child<Linear>("qkv", width, 3 * inner, true, xavier(width, 3 * inner));
  if (qk_norm) {
    q_norm_ = &emplace_child<LayerNorm>("q_norm", head_width, kHeadEps);
    k_norm_ = &emplace_child<LayerNorm>("k_norm", head_width, kHeadEps);
  }
  proj_ = &emplace_child<Linear>("proj", inner, width, true, xavier(inner, width));
}

at::Tensor DitAttention::forward(const at::Tensor& x) const {
  TimedScope scope("attention");
  const int64_t batch = x.size(0), tokens = x.size(1);
  const auto qkv = qkv_->forward(x).view({batch, tokens, 3, heads_, head_width_}).unbind(2);
  const auto q = q_norm_ ? q_norm_->forward(qkv[0]) : qkv[0];
  const auto k = k_norm_ ? k_norm_->forward(qkv[1]) : qkv[1];
  const auto out = at::scaled_dot_product_attention(q.transpose(1, 2), k.transpose(1, 2),
                                                    qkv[2].transpose(1, 2));
  return proj_->forward(out.transpose(1, 2).reshape({batch, tokens, heads_ * head_width_}));
}

DitBlock::DitBlock(const DitParams& p, std::unique_ptr<SubLayer> mlp, std::string name)
    : name_(std::move(name)) {
  const int64_t width = p.hidden_size;
  attn_ = &emplace_child<DitAttention>("attn", width, p.num_heads,
                                       p.head_dim.value_or(width / p.num_heads), p.qk_norm);
  mlp_ = &add_child("mlp", std::move(mlp));
  modulation_ = &emplace_child<Linear>("adaLN_modulation.1", width, 6 * width, true, zero());
}

ResidualStream DitBlock::forward(const ResidualStream& h, const at::Tensor& c_BD,
                                 ForwardContext& context, const DitObserver& observe) const {
  const auto see = [&](const std::string& part, const at::Tensor& value) {
    if (observe) observe(name_ + "." + part, value);
  };
  const auto m = modulation_->forward(at::silu(c_BD)).chunk(6, 1);
  const auto first = modulate(h, m[0], m[1]);
  const auto attn = attn_->forward(first.out_BNC);
  see("attn.out", attn);
  const auto [x, in] = modulate({first.x_BNC, attn, m[2]}, m[3], m[4]);
  see("mlp.in", in);
  const auto mlp = mlp_->forward(in.view({-1, in.size(2)}), context).view_as(in);
  see("mlp.out", mlp);
  const ResidualStream out{x, mlp, m[5]};
  if (observe) see("out", out.value());
  return out;
}

std::unique_ptr<SubLayer> make_dit_mlp(const DitParams& p, const std::string& site) {
  MoEConfig config;
  config.router = ConfigNode(std::string("none"));
  config.experts.count = 1;
  config.experts.hidden = static_cast<int64_t>(static_cast<double>(p.hidden_size) * p.mlp_ratio);
  config.experts.gated = false;
  config.experts.bias = true;
  config.experts.activation = "gelu_tanh";
  config.experts.init = "xavier";
  return make_moe_layer(config, p.hidden_size, p.hidden_size, site);
}

DitFinalLayer::DitFinalLayer(int64_t width, int64_t patch, int64_t channels)
    : linear_(&emplace_child<Linear>("linear", width, patch * patch * channels, true, zero())),
      modulation_(&emplace_child<Linear>("adaLN_modulation.1", width, 2 * width, true, zero())) {}

at::Tensor DitFinalLayer::forward(const ResidualStream& h, const at::Tensor& c_BD) const {
  const auto m = modulation_->forward(at::silu(c_BD)).chunk(2, 1);
  return linear_->forward(modulate(h, m[0], m[1]).out_BNC);
}

}  // namespace switchyard
