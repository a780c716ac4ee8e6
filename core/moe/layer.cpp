#include "core/moe/layer.h"

#include <cmath>

#include "core/base/step_timer.h"
#include "core/moe/expert_bank.h"
#include "core/moe/router.h"
#include "core/moe/trace.h"

namespace switchyard {
namespace {

BankShape bank_shape(const ExpertParams& p, int64_t count, int64_t in, int64_t hidden,
                     int64_t out) {
  return {count, in, hidden, out, p.gated, p.bias};
}

/// One expert, always on: the dense twin.
class DenseLayer : public SubLayer {
 public:
  DenseLayer(const ExpertParams& p, int64_t in, int64_t out)
      : bank_(emplace_child<ExpertBank>("", bank_shape(p, 1, in, p.hidden_width(in), out),
                                        activation_from_name(p.activation), false)) {}
  at::Tensor forward(const at::Tensor& x_TC, ForwardContext&) override {
    return bank_.forward_expert(x_TC, 0);
  }

 private:
  ExpertBank& bank_;
};

class MoELayer : public SubLayer {
 public:
  MoELayer(const MoEConfig& config, int64_t in, int64_t out, std::string site)
      : site_(std::move(site)), channels_(in), reference_(config.backend == "reference") {
    const ExpertParams& p = config.experts;
    const auto activation = activation_from_name(p.activation);
    const int64_t hidden = p.hidden_width(in);
    info_ = {site_, in, hidden, out, p.count, p.shared, 0, {}, {}, {}, true};
    router_ = &emplace_child<Router>("gate", parse_params<RouterParams>(config.router, "router"),
                                     in, p.count, site_);
    experts_ = &emplace_child<ExpertBank>("experts", bank_shape(p, p.count, in, hidden, out),
                                          activation, true);
    if (p.shared > 0) {
      shared_ = &emplace_child<ExpertBank>(
          "shared_experts", bank_shape(p, 1, in, hidden * p.shared, out), activation, false);
    }
    add_buffer("expert_token_counter", at::zeros({p.count}, at::kLong));
    router_->describe(info_);
  }

  at::Tensor forward(const at::Tensor& x_TC, ForwardContext& context) override {
    check(x_TC.dim() == 2 && x_TC.size(1) == channels_, site_, "x: got shape ",
          to_text(x_TC.sizes().vec()), ", expected [tokens, ", channels_, "]");
    TimedScope scope("moe layer");
    const RouterOutput routed = router_->forward(x_TC, context);
    if (context.trace) context.trace->record(site_, routed.assignment, routed.scores_TE, context);
    auto y = reference_ ? experts_->forward_reference(x_TC, routed.assignment)
                        : experts_->forward(x_TC, routed.assignment);
    return shared_ ? y + shared_->forward_expert(x_TC, 0) : y;
  }

  std::optional<SiteInfo> site_info() const override { return info_; }

 private:
  std::string site_;
  SiteInfo info_;
  int64_t channels_;
  bool reference_;
  Router* router_;
  ExpertBank* experts_;
  ExpertBank* shared_ = nullptr;
};

}  // namespace

void ExpertParams::declare(Fields<ExpertParams>& f) {
  f.add("count", &ExpertParams::count, "routed experts", between(1, 32767));
  f.add("hidden_mult", &ExpertParams::hidden_mult, "hidden width of an expert / input channels",
        at_least(0));
  f.add("hidden", &ExpertParams::hidden, "hidden width of an expert; overrides hidden_mult",
        at_least(1));
  f.add("gated", &ExpertParams::gated, "down(act(gate x) * up x) instead of fc2(act(fc1 x))");
  f.add("activation", &ExpertParams::activation, "activation inside an expert",
        Choices{activation_names()});
  f.add("bias", &ExpertParams::bias, "bias terms in the expert's linear maps");
  f.add("shared", &ExpertParams::shared, "shared experts, always on, added with weight 1",
        at_least(0));
}

int64_t ExpertParams::hidden_width(int64_t channels) const {
  if (hidden) return *hidden;
  const auto width =
      static_cast<int64_t>(std::llround(hidden_mult * static_cast<double>(channels)));
  check(width >= 1, "experts.hidden_mult", "hidden width: got ", width, " (", hidden_mult, " x ",
        channels, " channels), expected at least 1");
  return width;
}

void MoEConfig::declare(Fields<MoEConfig>& f) {
  f.add("router", &MoEConfig::router,
        "routing stages (scorer, hooks, selector, weigher, losses), or none");
  f.node("experts", &MoEConfig::experts, "the experts");
  f.add("backend", &MoEConfig::backend, "fused pass, or a plain loop over the experts to check it",
        Choices{{"fast", "reference"}});
}

bool MoEConfig::has_router() const { return !(router.is_string() && router.as_string() == "none"); }

std::unique_ptr<SubLayer> make_moe_layer(const MoEConfig& config, int64_t in_channels,
                                         int64_t out_channels, const std::string& site) {
  check(in_channels >= 1 && out_channels >= 1, site, "channels: got ", in_channels, " to ",
        out_channels, ", expected at least 1");
  if (config.has_router())
    return std::make_unique<MoELayer>(config, in_channels, out_channels, site);
  check(config.experts.count == 1 && config.experts.shared == 0, site,
        "router: none needs one expert: got ", config.experts.count, " and ", config.experts.shared,
        " shared, expected 1 and 0");
  return std::make_unique<DenseLayer>(config.experts, in_channels, out_channels);
}

}  // namespace switchyard
