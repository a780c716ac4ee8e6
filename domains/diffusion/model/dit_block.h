#pragma once

#include "core/kernels/modulate.h"
#include "core/moe/sub_layer.h"
#include "core/nn/linear.h"
#include "core/nn/norm.h"
#include "domains/diffusion/model/dit_params.h"

namespace switchyard {

/// Full attention over the tokens of an image, [B, N, D] -> [B, N, D]. Published: qkv, proj, and
/// with qk_norm q_norm, k_norm (over a head, eps 1e-5).
class DitAttention : public Module {
 public:
  DitAttention(int64_t width, int64_t heads, int64_t head_width, bool qk_norm);
  at::Tensor forward(const at::Tensor& x_BND) const;

 private:
  int64_t heads_, head_width_;
  Linear *qkv_, *proj_;
  LayerNorm *q_norm_ = nullptr, *k_norm_ = nullptr;
};

/// Called with the module's name and a tensor of the pass.
using DitObserver = std::function<void(const std::string& name, const at::Tensor& value)>;

/// adaLN-zero block: h += gate1 Attn(mod1(h)); h += gate2 FFN(mod2(h)), mod(h) = LN(h) (1 + scale)
/// + shift with eps 1e-6; the six vectors come from Linear(SiLU(c)). Published: attn, mlp (dense
/// MLP or mixture), adaLN_modulation.1.
class DitBlock : public Module {
 public:
  DitBlock(const DitParams& params, std::unique_ptr<SubLayer> mlp, std::string name);
  /// c [B, D]. The FFN is left for the next modulation to add.
  ResidualStream forward(const ResidualStream& h, const at::Tensor& c_BD, ForwardContext& context,
                         const DitObserver& observe = {}) const;

 private:
  std::string name_;
  DitAttention* attn_;
  SubLayer* mlp_;
  Linear* modulation_;
};

/// The published dense MLP of a block: fc2(GELU_tanh(fc1 x)).
std::unique_ptr<SubLayer> make_dit_mlp(const DitParams& params, const std::string& site);

/// Linear(LN(x) (1 + scale) + shift). Published: linear, adaLN_modulation.1.
class DitFinalLayer : public Module {
 public:
  DitFinalLayer(int64_t width, int64_t patch, int64_t channels);
  at::Tensor forward(const ResidualStream& h, const at::Tensor& c_BD) const;

 private:
  Linear *linear_, *modulation_;
};

}  // namespace switchyard
