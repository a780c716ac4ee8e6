// Routing in which a token's number of experts varies, against the set routing.

#include "routers/golden_sparse.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/diff.h>

#include "core/golden/golden.h"
#include "core/moe/layer.h"
#include "core/moe/router.h"
#include "core/moe/trace.h"
#include "routers/hooks/capacity.h"
#include "routers/losses/balance.h"

namespace switchyard {
namespace {

/// Keeps what a pass routed.
struct RoutedPass : TraceSink {
  RouterOutput routed;
  void record(const std::string&, const RouterOutput& out, const ForwardContext&) override {
    routed = out;
  }
};

/// A stacked tensor of the file that holds one view of a layer, and the view's place in it.
struct Stacked {
  std::string name;
  int64_t place = 0;
};
Stacked stacked_name(const std::string& view) {
  const auto parts = split(view, '.');
  if (parts.front() == "gate") return {"router"};
  const std::string part = parts[parts.size() - 2],
                    end = part.substr(0, part.find('_'));  // gate_proj, up_proj, down_proj
  if (parts.front() == "shared_experts") return {"fixed." + end};
  return {"experts." + end, std::stoll(parts[1])};
}

/// One case: the layer that its config describes, and what a pass through it gave.
class SparseCase {
 public:
  SparseCase(const GoldenCase& c, GoldenResult& result, const Json& router)
      : c_(c), result_(result), x_TC_(c.input("x").requires_grad_(true)) {
    MoEConfig config;
    config.router = to_config(router);
    config.experts.count = count("E");
    config.experts.hidden = count("h");
    config.experts.activation = "silu";
    config.experts.shared = c.has("weights/fixed.up") ? 1 : 0;
    config.names.counter = false;
    layer_ = make_moe_layer(config, x_TC_.size(1), x_TC_.size(1), "moe");
    load();
    const auto end = at::tensor({int64_t{0}, x_TC_.size(0)}).to(c.device);
    const auto mask = c.has("inputs/mask") ? c.input("mask").view(-1) > 0 : at::Tensor();
    context_.start({end, {}, {}, mask, {}});
    context_.trace = &pass_;
    y_ = layer_->forward(x_TC_, context_);
  }

  int64_t count(const char* key) const { return c_.config.at(key).get<int64_t>(); }
  int64_t tokens() const { return x_TC_.size(0); }
  const RouterOutput& routed() const { return pass_.routed; }
  at::Tensor& y() { return y_; }
  const at::Tensor& x() const { return x_TC_; }
  /// What every token chose, before any cut.
  at::Tensor chosen() const {
    const Assignment& a = routed().assignment;
    return routed().chosen_TK.defined() ? routed().chosen_TK.to(at::kLong)
                                        : padded_slots({a.token_offset, a.slot_of, 0});
  }
  /// [slots] i64: how often each was chosen.
  at::Tensor chosen_count() const {
    const int64_t columns = routed().scores_TE.size(1);
    const auto chosen_TK = chosen();
    const auto one = at::arange(columns, chosen_TK.options()).view({-1, 1, 1});
    return (chosen_TK.unsqueeze(0) == one).sum(at::IntArrayRef{1, 2});
  }
  /// [T, E] weight of every expert.
  at::Tensor combine() const { return dense_weights(routed().assignment); }
  at::Tensor balance(bool mean_null = false) {
    return BalanceLoss(1, BalanceLoss::Scope::Micro, false, mean_null)
        .loss(routed(), context_, "moe");
  }

  void compare(const std::string& name, const at::Tensor& value) {
    result_.compare("outputs/" + name, value);
  }
  /// Compares the output too, and adds its product with its cotangent to the loss.
  void add(const std::string& name, const at::Tensor& value) {
    compare(name, value);
    const auto term = (value * c_.input("cot_" + name)).sum();
    loss_ = loss_.defined() ? loss_ + term : term;
  }
  void finish() {
    add("y", y_);
    compare("logits", routed().logits_TE);
    compare("probs", routed().scores_TE);
    compare("combine", combine());
    compare("loss", loss_);
    loss_.backward();
    result_.compare("grads/inputs/x", x_TC_.grad());
    compare_weights();
  }

 private:
  at::Tensor stored(const Stacked& at) const {
    const auto all = c_.tensor("weights/" + at.name);
    if (at.name != "router") return all.select(0, at.place);
    return c_.has("weights/router_null") ? at::cat({all, c_.tensor("weights/router_null")}) : all;
  }
  void load() {
    const at::NoGradGuard no_grad;
    layer_->to(c_.device, c_.dtype);
    for (const ParamView& view : layer_->views())
      if (view.trainable) view.value().copy_(stored(stacked_name(view.name)));
  }
  void compare_weights() {
    std::map<std::string, std::vector<at::Tensor>> grads;
    for (const ParamView& view : layer_->views()) {
      const auto grad = view.grad();
      if (view.trainable)
        grads[stacked_name(view.name).name].push_back(
            grad.defined() ? grad : at::zeros_like(view.value()));
    }
    const auto router = grads.extract("router").mapped().front();
    result_.compare("grads/weights/router", router.narrow(0, 0, count("E")));
    if (routed().null_slots > 0)
      result_.compare("grads/weights/router_null",
                      router.narrow(0, count("E"), routed().null_slots));
    for (const auto& [name, parts] : grads)
      result_.compare("grads/weights/" + name, at::stack(parts));
  }

  const GoldenCase& c_;
  GoldenResult& result_;
  at::Tensor x_TC_, y_, loss_;
  std::unique_ptr<SubLayer> layer_;
  ForwardContext context_;
  RoutedPass pass_;
};

void run_topp(const GoldenCase& c, GoldenResult& result) {
  const double p = std::min(1., c.config.at("tau").get<double>());
  SparseCase unit(c, result,
                  {{"selector", {{"type", "topp"}, {"p", p}}},
                   {"weigher", {{"type", "softmax"}, {"renormalise", false}}}});
  const auto& p_TE = unit.routed().scores_TE;
  const auto chosen_TK = unit.chosen();
  const int64_t behind = p_TE.size(1) - chosen_TK.size(1);
  const auto indices = at::constant_pad_nd(chosen_TK, {0, behind}, -1);
  unit.compare("indices", indices);
  unit.compare("weights", p_TE.gather(1, indices.clamp_min(0)).masked_fill(indices < 0, 0));
  unit.compare("k", (chosen_TK >= 0).sum(1));
  unit.compare("counts", unit.chosen_count());
  const auto balance = unit.balance();
  const double mean_k =
      unit.chosen_count().sum().item<double>() / static_cast<double>(unit.tokens());
  unit.add("lbl_per_assignment", balance);
  unit.add("lbl_per_token", balance * mean_k);
  unit.add("entropy", -(p_TE * p_TE.log()).sum(1).mean());
  unit.finish();
}

void run_null(const GoldenCase& c, GoldenResult& result) {
  const int64_t k = c.config.at("k").get<int64_t>(), experts = c.config.at("E").get<int64_t>();
  SparseCase unit(c, result,
                  {{"selector", {{"type", "topk"}, {"k", k}}},
                   {"weigher", {{"type", "softmax"}, {"singles", true}}},
                   {"null_slots", {{"count", c.config.at("n_null")}, {"keep_share", false}}}});
  const auto chosen_TK = unit.chosen();
  const auto is_null = chosen_TK >= experts;
  const auto combine = unit.combine();
  unit.compare("indices", chosen_TK);
  unit.compare("weights",
               combine.gather(1, chosen_TK.clamp_max(experts - 1)).masked_fill(is_null, 0));
  unit.compare("true_k", is_null.logical_not().sum(1));
  unit.compare("null_load", is_null.to(c.dtype).mean());
  unit.compare("counts", unit.chosen_count());
  const bool mean = c.config.at("null_average") == "mean";
  unit.add("balance", unit.balance(mean) * static_cast<double>(k));
  unit.finish();
}

/// Errors: NotCovered for what the stages do not do.
Json capacity_router(const Json& config) {
  const std::string overflow = config.at("overflow");
  const auto is = [&](const char* key, const char* value) {
    return config.value(key, "") == value;
  };
  if (overflow == "drop_random") throw NotCovered{"random dropping"};
  if (is("second", "gumbel")) throw NotCovered{"a drawn second choice"};
  if (config.value("slot_major", false)) throw NotCovered{"capacity by first choices first"};
  if (is("impl", "deepspeed_topk_logit")) throw NotCovered{"capacity by raw logits against 0"};
  if (is("residual", "coefficient")) throw NotCovered{"a learned mix with a dense part"};
  const bool renorm = config.at("renorm");
  Json router{{"selector", {{"type", "topk"}, {"k", config.at("k")}}},
              {"weigher", {{"type", "softmax"}, {"renormalise", renorm}, {"singles", renorm}}}};
  if (overflow != "none")
    router["selection_hooks"] =
        Json::array({{{"type", "capacity"},
                      {"factor", config.at("factor")},
                      {"least", config.at("min_capacity")},
                      {"drop", overflow == "drop_late" ? "latest" : "lowest"}}});
  return router;
}

void run_capacity(const GoldenCase& c, GoldenResult& result) {
  SparseCase unit(c, result, capacity_router(c.config));
  const int64_t k = unit.count("k"), experts = unit.count("E");
  const auto keep = (unit.combine() != 0).to(at::kLong);
  const auto chosen_TK = unit.chosen();
  const CapacityHook hook(
      {c.config.at("factor").get<double>(), unit.count("min_capacity"), "lowest"});
  const int64_t most =
      c.config.at("overflow") == "none" ? unit.tokens() : hook.capacity(unit.tokens(), experts, k);
  unit.compare("capacity", at::scalar_tensor(most, at::kLong));
  unit.compare("indices", chosen_TK);
  unit.compare("keep", keep);
  unit.compare("counts", unit.chosen_count());
  unit.compare("dropped", unit.chosen_count() - keep.sum(0));
  unit.add("balance", unit.balance());
  if (c.config.at("residual") == "add") unit.y() = unit.y() + unit.x();
  unit.finish();
}

}  // namespace

void register_sparse_golden_kinds() {
  register_golden_kind("routing", "topp_router", run_topp);
  register_golden_kind("routing", "null_experts", run_null);
  register_golden_kind("routing", "capacity_router", run_capacity);
}

}  // namespace switchyard
