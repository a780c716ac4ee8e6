#include "domains/point_cloud/model/block.h"

#include <ATen/ops/gelu.h>

#include "core/base/step_timer.h"
#include "core/kernels/subm_conv.h"

namespace switchyard {

SubmConv3d::SubmConv3d(int64_t in, int64_t out, int64_t k, bool bias)
    : k_(k), weight_(add_parameter("weight", {out, k, k, k, in}, Init::fan_in(k * k * k * in))) {
  if (bias) bias_ = &add_parameter("bias", {out}, Init::fan_in(k * k * k * in));
}

at::Tensor SubmConv3d::forward(const at::Tensor& x_NC, PointLevel& level) const {
  TimedScope scope("submanifold convolution");
  return subm_conv(x_NC, level.kernel_map(k_, x_NC.device()), weight_.flatten(1), bias_ ? *bias_ : at::Tensor());
}

DenseMlp::DenseMlp(int64_t channels, int64_t hidden)
    : fc1_(emplace_child<Linear>("fc1", channels, hidden)), fc2_(emplace_child<Linear>("fc2", hidden, channels)) {}

at::Tensor DenseMlp::forward(const at::Tensor& x_TC, ForwardContext&) {
  TimedScope scope("mlp");
  return fc2_.forward(at::gelu(fc1_.forward(x_TC)));
}

PointBlock::PointBlock(const BlockShape& shape, std::unique_ptr<SubLayer> projection, std::unique_ptr<SubLayer> mlp)
    : shape_(shape),
      conv_(emplace_child<SubmConv3d>("cpe.0", shape.attention.channels, shape.attention.channels, 3, true)),
      linear_(emplace_child<Linear>("cpe.1", shape.attention.channels, shape.attention.channels)),
      cpe_norm_(emplace_child<LayerNorm>("cpe.2", shape.attention.channels, shape.layer_norm_eps)),
      norm1_(emplace_child<LayerNorm>("norm1.0", shape.attention.channels, shape.layer_norm_eps)),
      attention_(emplace_child<SerializedAttention>("attn", shape.attention, std::move(projection))),
      norm2_(emplace_child<LayerNorm>("norm2.0", shape.attention.channels, shape.layer_norm_eps)),
      mlp_(add_child("mlp.0", std::move(mlp))) {}

at::Tensor PointBlock::drop_path(const at::Tensor& branch, ForwardContext& context, const PointHooks& hooks,
                                 const std::string& name) const {
  hooks.see(name, branch);
  if (!training() || shape_.drop_path == 0) return branch;
  at::Tensor mask = hooks.drop_mask ? hooks.drop_mask(name) : at::Tensor();
  if (!mask.defined()) {
    mask = at::empty({branch.size(0)}, at::kFloat);
    RandomStream stream = context.random.child(name);
    for (int64_t i = 0; i < mask.size(0); ++i) mask.data_ptr<float>()[i] = stream.chance(shape_.drop_path) ? 0.f : 1.f;
  }
  return branch * (mask.to(branch.options()) / (1 - shape_.drop_path)).unsqueeze(1);
}

void PointBlock::forward(PointLevel& level, ForwardContext& context, const PointHooks& hooks, const std::string& name) {
  const at::Tensor cpe = cpe_norm_.forward(linear_.forward(conv_.forward(level.sparse_feat, level)));
  hooks.see(name + "/cpe", cpe);
  at::Tensor x = level.feat + cpe;
  const auto residual = [&](LayerNorm& norm, const char* branch, auto&& run) {
    const std::string label = name + "/" + branch;
    if (shape_.pre_norm) x = x + drop_path(run(norm.forward(x)), context, hooks, label);
    else x = norm.forward(x + drop_path(run(x), context, hooks, label));
  };
  residual(norm1_, "attn", [&](const at::Tensor& y) { return attention_.forward(y, level, context, hooks, name); });
  residual(norm2_, "mlp", [&](const at::Tensor& y) { return mlp_.forward(y, context); });
  level.feat = level.sparse_feat = x;
  hooks.see(name, x);
}

}  // namespace switchyard
