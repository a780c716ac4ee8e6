#pragma once
// The MoE layer: router -> experts -> weighted sum, plus shared experts.

#include <memory>
#include <optional>
#include <string>

#include "core/base/params.h"
#include "core/moe/sub_layer.h"

namespace switchyard {

/// What a shared expert has of its own; null: as the routed ones. Its width is that of all shared
/// experts together.
struct SharedParams {
  std::optional<int64_t> hidden;
  std::optional<bool> gated, bias;
  std::optional<std::string> activation;
  static void declare(Fields<SharedParams>& f);
};

/// Experts are two-layer MLPs: down(act(gate x) * up x) when gated, else fc2(act(fc1 x)); or, of
/// type linear, one linear map each, whose hidden width counts as 0 (Point-MoE's map C -> C).
struct ExpertParams {
  int64_t count = 8;
  double hidden_mult = 1;
  std::optional<int64_t> hidden;
  bool gated = true;
  std::string activation = "relu";
  bool bias = false;
  int64_t shared = 0;
  SharedParams shared_expert;
  std::string init = "linear";
  std::string type = "mlp";

  static void declare(Fields<ExpertParams>& f);
  bool is_linear() const { return type == "linear"; }
  /// Hidden width of one expert for an input of `channels`.
  int64_t hidden_width(int64_t channels) const;
  /// Hidden width of the shared part; 0: none.
  int64_t shared_width(int64_t channels) const;
};

/// Published names of a layer's tensors. The defaults are Point-MoE's.
struct LayerNames {
  std::string router = "gate", shared = "shared_experts";
  std::vector<std::string> plain = {"fc1", "fc2"};
  bool counter = true;
  static void declare(Fields<LayerNames>& f);
};

/// One MoE site. Config node:
///   router:  {granularity: token, scorer: linear, hooks: [], selector: {type: topk, k: 2},
///             weigher: {type: softmax, renormalise: true}, losses: [{type: balance, alpha: 0.01}]}
///            null: the defaults of RouterParams; `none`: no router, the single expert is always on
///   experts: {type: mlp, count, hidden_mult | hidden, gated, activation, bias, shared,
///             shared_expert, init} or {type: linear, count, bias, shared, init}
///   names:   published names of the tensors
///   backend: fast | reference | check: fast, and its distance from the reference goes to the
///            metrics as check/<site>/{output,gradient,gate,routing}; too large a one is a warning
struct MoEConfig {
  ConfigNode router;
  ExpertParams experts;
  LayerNames names;
  std::string backend = "fast";

  static void declare(Fields<MoEConfig>& f);
  bool has_router() const;
};

/// `site` names the layer in traces, losses and messages ("enc.enc0.block1.attn.proj").
/// `count` experts are routed to; the slots of the router's selection hooks have experts of their
/// own behind them. Published tensors (Point-MoE): gate.weight, gate.score_accumulator,
/// expert_token_counter, experts.<e>.{gate_proj,up_proj,down_proj}.weight, shared_experts.* ; plain
/// experts publish fc1 and fc2, linear ones experts.<e>.{weight,bias}; without a router the
/// expert's tensors have no prefix. The concrete stages must be registered (register_routers()).
/// forward: x [T, in] -> [T, out]; context.level() must be set. Errors: unknown stage or
/// activation, k > count, `router: none` with several experts, linear experts with a hidden width.
std::unique_ptr<SubLayer> make_moe_layer(const MoEConfig& config, int64_t in_channels,
                                         int64_t out_channels, const std::string& site);

}  // namespace switchyard
