#include "core/moe/layer.h"

#include <ATen/core/grad_mode.h>

#include <cmath>
#include <cstdio>

#include "core/base/log.h"
#include "core/base/step_timer.h"
#include "core/kernels/expert_path.h"
#include "core/moe/expert_bank.h"
#include "core/moe/layer_check.h"
#include "core/moe/precision.h"
#include "core/moe/router.h"
#include "core/moe/trace.h"

namespace switchyard {
namespace {

BankShape bank_shape(const MoEConfig& config, int64_t count, int64_t in, int64_t out) {
  const ExpertParams& p = config.experts;
  const auto& plain = config.names.plain;
  return {count,    in,       p.hidden_width(in), out, p.gated, p.bias,
          plain[0], plain[1], p.init == "xavier"};
}

BankShape shared_shape(const MoEConfig& config, int64_t in, int64_t out) {
  BankShape shape = bank_shape(config, 1, in, out);
  const SharedParams& own = config.experts.shared_expert;
  shape.hidden = config.experts.shared_width(in);
  shape.gated = own.gated.value_or(shape.gated);
  shape.bias = own.bias.value_or(shape.bias);
  return shape;
}

Activation shared_activation(const ExpertParams& p) {
  return activation_from_name(p.shared_expert.activation.value_or(p.activation));
}

void check_linear(const ExpertParams& p, const std::string& site) {
  const SharedParams& own = p.shared_expert;
  check(!p.hidden && !own.hidden && !own.gated && !own.activation, site,
        "experts.type: linear experts have no hidden layer: got a hidden width, or gated or "
        "activation of the shared one");
  check(p.shared <= 1, site, "experts.shared: got ", p.shared,
        " linear experts, whose sum is one linear map; expected 0 or 1");
}

/// Which way the layer takes and how well.
std::string check_line(const ExpertOperands& o, bool one_op,
                       const std::vector<CheckedError>& errors) {
  const auto choice = expert_path_of(expert_setting(o.x_TC, o.experts, o.assignment, o.activation));
  std::string out = cat("experts ", choice.name, " (", choice.why, "), routing ",
                        one_op && o.x_TC.is_cuda() ? "in one op" : "by stages");
  for (const CheckedError& e : errors) {
    char text[32];
    std::snprintf(text, sizeof text, "%.2g", e.error);
    out += cat(", ", e.name, " ", text);
  }
  return out;
}

/// One expert, always on: the dense twin.
class DenseLayer : public SubLayer {
 public:
  DenseLayer(const MoEConfig& config, int64_t in, int64_t out)
      : bank_(emplace_child<ExpertBank>("", bank_shape(config, 1, in, out),
                                        activation_from_name(config.experts.activation), false)) {}
  at::Tensor forward(const at::Tensor& x_TC, ForwardContext&) override {
    return bank_.forward_expert(x_TC, 0);
  }

 private:
  ExpertBank& bank_;
};

class MoELayer : public SubLayer {
 public:
  MoELayer(const MoEConfig& config, int64_t in, int64_t out, std::string site)
      : site_(std::move(site)), channels_(in), backend_(config.backend) {
    const ExpertParams& p = config.experts;
    const LayerNames& names = config.names;
    info_ = {site_, in, p.hidden_width(in), out, p.count, p.shared, 0, {}, {}, {}, true};
    router_ = &emplace_child<Router>(
        names.router, parse_params<RouterParams>(config.router, "router"), in, p.count, site_);
    experts_ = &emplace_child<ExpertBank>("experts", bank_shape(config, router_->slots(), in, out),
                                          activation_from_name(p.activation), true);
    if (p.shared > 0) {
      shared_ = &emplace_child<ExpertBank>(names.shared, shared_shape(config, in, out),
                                           shared_activation(p), false);
    }
    if (names.counter) add_buffer("expert_token_counter", at::zeros({p.count}, at::kLong));
    info_.gated = p.gated && !p.is_linear();
    info_.activation = activation_from_name(p.activation);
    router_->describe(info_);
  }

  at::Tensor forward(const at::Tensor& x_TC, ForwardContext& context) override {
    check(x_TC.dim() == 2 && x_TC.size(1) == channels_, site_, "x: got shape ",
          to_text(x_TC.sizes().vec()), ", expected [tokens, ", channels_, "]");
    TimedScope scope("moe layer");
    const RouterOutput routed = router_->forward(x_TC, context);
    if (context.trace) context.trace->record(site_, routed, context);
    if (backend_ == "check") check_pass(x_TC, routed.assignment, context);
    auto y = backend_ == "reference" ? experts_->forward_reference(x_TC, routed.assignment)
                                     : experts_->forward(x_TC, routed.assignment);
    return shared_ ? y + shared_->forward_expert(x_TC, 0) : y;
  }

  std::optional<SiteInfo> site_info() const override { return info_; }

 private:
  void check_pass(const at::Tensor& x_TC, const Assignment& assignment, ForwardContext& context) {
    const bool gradients = context.training && at::GradMode::is_enabled();
    const auto operands = experts_->operands(x_TC, assignment);
    std::vector<CheckedError> errors;
    {
      const AutocastOff types_are_chosen;
      errors = expert_errors(operands, gradients);
    }
    const auto routing = router_->op_error(x_TC, context);
    if (routing) errors.push_back(routing_error(*routing, score_type(x_TC)));
    if (!checked_) log::info(site_, ": ", check_line(operands, routing.has_value(), errors));
    checked_ = true;
    for (const CheckedError& e : errors) {
      context.report("check/" + site_ + "/" + e.name, e.error);
      if (!e.holds())
        log::warn(site_, ": the fast pass is off: relative error of ", e.name, ": got ", e.error,
                  ", expected at most ", e.bound);
    }
  }

  std::string site_;
  SiteInfo info_;
  int64_t channels_;
  std::string backend_;
  bool checked_ = false;
  Router* router_;
  ExpertBank* experts_;
  ExpertBank* shared_ = nullptr;
};

}  // namespace

void SharedParams::declare(Fields<SharedParams>& f) {
  f.add("hidden", &SharedParams::hidden, "width of the shared part", at_least(1));
  f.add("gated", &SharedParams::gated, "as experts.gated");
  f.add("bias", &SharedParams::bias, "as experts.bias");
  f.add("activation", &SharedParams::activation, "as experts.activation");
}

void LayerNames::declare(Fields<LayerNames>& f) {
  f.add("router", &LayerNames::router, "of the router's tensors; empty: beside the experts");
  f.add("shared", &LayerNames::shared, "of the shared experts");
  f.add("plain", &LayerNames::plain, "of the two layers of a plain expert");
  f.add("counter", &LayerNames::counter, "publish Point-MoE's expert_token_counter");
}

void ExpertParams::declare(Fields<ExpertParams>& f) {
  f.add("type", &ExpertParams::type,
        "two-layer MLPs, or one linear map each, without the three keys below; `activation` is "
        "then that of the dense twin",
        Choices{{"mlp", "linear"}});
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
  f.node("shared_expert", &ExpertParams::shared_expert, "what the shared part has of its own");
  f.add("init", &ExpertParams::init, "PyTorch's linear layer, or Xavier uniform and zero biases",
        Choices{{"linear", "xavier"}});
}

int64_t ExpertParams::shared_width(int64_t channels) const {
  if (shared == 0) return 0;
  return shared_expert.hidden.value_or(hidden_width(channels) * shared);
}

int64_t ExpertParams::hidden_width(int64_t channels) const {
  if (is_linear()) return 0;
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
  f.node("names", &MoEConfig::names, "published names of the tensors");
  f.add("backend", &MoEConfig::backend,
        "fused pass, a plain loop over the experts, or the first checked against the second",
        Choices{{"fast", "reference", "check"}});
}

bool MoEConfig::has_router() const { return !(router.is_string() && router.as_string() == "none"); }

std::unique_ptr<SubLayer> make_moe_layer(const MoEConfig& config, int64_t in_channels,
                                         int64_t out_channels, const std::string& site) {
  check(in_channels >= 1 && out_channels >= 1, site, "channels: got ", in_channels, " to ",
        out_channels, ", expected at least 1");
  check(config.names.plain.size() == 2, site, "names.plain: got ", join(config.names.plain),
        ", expected two names");
  if (config.experts.is_linear()) check_linear(config.experts, site);
  if (config.has_router())
    return std::make_unique<MoELayer>(config, in_channels, out_channels, site);
  check(config.experts.count == 1 && config.experts.shared == 0, site,
        "router: none needs one expert: got ", config.experts.count, " and ", config.experts.shared,
        " shared, expected 1 and 0");
  return std::make_unique<DenseLayer>(config, in_channels, out_channels);
}

}  // namespace switchyard
