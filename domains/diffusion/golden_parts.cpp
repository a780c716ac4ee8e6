#include "domains/diffusion/golden_parts.h"

#include <ATen/ops/zeros.h>

#include "core/moe/token_groups.h"
#include "routers/selectors/capacity_predictor.h"

namespace switchyard::diffusion_golden {
namespace {

Json softmax_weigher() { return {{"type", "softmax"}, {"renormalise", false}}; }

Json contrastive_loss(const Json& moe, const std::string& scope) {
  return {{"type", "routing_contrastive"},
          {"lambda", moe.at("routing_contrastive_lam")},
          {"temperature", moe.at("routing_contrastive_temperature")},
          {"all_slots", moe.at("use_top_k_for_routing_contrastive")},
          {"scope", scope}};
}

Json promoe_losses(const Json& moe, bool token_choice) {
  Json losses = Json::array();
  const std::string mode = moe.at("router_weight_mode").get<std::string>();
  if (token_choice && moe.at("load_balance_loss_coef").get<double>() > 0)
    losses.push_back({{"type", "balance"},
                      {"alpha", moe.at("load_balance_loss_coef")},
                      {"scope", moe.at("seq_aux").get<bool>() ? "sequence" : "micro"},
                      {"probabilities", mode == "softmax" ? "scores" : "softmax"}});
  if (moe.at("routing_contrastive_lam").get<double>() > 0)
    losses.push_back(contrastive_loss(moe, token_choice ? "batch" : "sequence"));
  return losses;
}

Json promoe_weigher(const Json& moe, bool token_choice) {
  const std::string mode = moe.at("router_weight_mode").get<std::string>();
  if (mode != "softmax") return mode;
  Json out = softmax_weigher();
  if (!token_choice) out["over"] = "tokens";
  return out;
}

Json promoe(const Json& moe, bool token_choice) {
  Json router = {
      {"scorer", "prototype"},
      {"weigher", promoe_weigher(moe, token_choice)},
      {"selector", token_choice ? Json{{"type", "topk"}, {"k", moe.at("top_k")}}
                                : Json{{"type", "expert_choice"}, {"capacity", moe.at("top_k")}}},
      {"losses", promoe_losses(moe, token_choice)}};
  if (moe.at("use_uncond_expert").get<bool>()) router["selection_hooks"] = {"forced_slot"};
  return {{"router", router},
          {"experts",
           {{"count", moe.at("num_routed_experts")},
            {"hidden", moe.at("moe_intermediate_size")},
            {"shared", moe.at("use_shared_expert").get<bool>() ? 1 : 0},
            {"shared_expert", {{"hidden", moe.at("shared_expert_intermediate_size")}}}}},
          {"names",
           {{"router", ""},
            {"shared", "shared_expert"},
            {"plain", {"up_proj", "down_proj"}},
            {"counter", false}}}};
}

/// The selector, scorer and losses that set the three baselines apart.
Json baseline_router(const Json& config) {
  const Json& moe = config.at("moe");
  const std::string model = config.at("model").get<std::string>();
  const Json capacity = moe.at("capacity");
  Json scorer = {{"type", "linear"}, {"accumulator", false}};
  if (model == "tc_dit")
    return {{"scorer", scorer},
            {"weigher", softmax_weigher()},
            {"selector", {{"type", "topk"}, {"k", capacity}}},
            {"losses", {{{"type", "balance"}, {"alpha", .01}}}}};
  scorer["weight"] = "gate_weight";
  Json selector = {{"type", "expert_choice"}, {"capacity", capacity}, {"least", 0}};
  if (model == "diffmoe")
    selector = {{"type", "capacity_predictor"},
                {"capacity", capacity},
                {"loss_weight", config.at("capacity_loss_weight")}};
  return {{"scorer", scorer}, {"weigher", softmax_weigher()}, {"selector", selector}};
}

Json baseline(const Json& config) {
  const Json& moe = config.at("moe");
  const std::string model = config.at("model").get<std::string>();
  const auto width = config.at("hidden_size").get<int64_t>(),
             shared = moe.at("n_shared_experts").get<int64_t>();
  const auto hidden =
      static_cast<int64_t>(static_cast<double>(width) * config.at("mlp_ratio").get<double>());
  Json own = {{"hidden", width * std::max<int64_t>(shared, 1)},
              {"gated", true},
              {"bias", false},
              {"activation", "silu"}};
  if (model == "diffmoe") own = {{"hidden", 8 * width}};
  return {{"router", baseline_router(config)},
          {"experts",
           {{"count", moe.at("num_experts")},
            {"hidden", hidden},
            {"shared", shared},
            {"shared_expert", own}}},
          {"names", {{"router", model == "tc_dit" ? "gate" : ""}, {"counter", false}}}};
}

/// [B, N, S]: factor of every slot's output for every token, 0 where it is not routed.
at::Tensor combine_of(const Assignment& a, int64_t batch) {
  const auto token_A = token_of_entry({a.token_offset, a.slot_of, 0});
  const auto place_A = token_A * a.slots() + a.slot_of;
  return at::zeros({a.tokens() * a.slots()}, a.weight.options())
      .index_add(0, place_A, a.weight.detach())
      .view({batch, -1, a.slots()});
}

/// Scores of the experts, [B, N, E]. Where images without a class have a slot of their own, their
/// rows are zero or, with `conditional_only`, left out.
at::Tensor routed_scores(const RoutingRecord::Site& site, int64_t batch, int64_t experts,
                         bool conditional_only) {
  const auto scores = site.scores_TS.detach().narrow(1, 0, experts);
  const int64_t length = scores.size(0) / batch;
  if (site.scores_TS.size(1) == experts) return scores.view({batch, length, experts});
  if (!conditional_only)
    return at::where(site.cond_T.unsqueeze(1), scores, at::zeros_like(scores))
        .view({batch, length, experts});
  return scores.index_select(0, site.cond_T.nonzero().select(1, 0)).view({-1, length, experts});
}

/// `expected` itself where both hold the same numbers in some order along the last axis.
at::Tensor in_stored_order(const at::Tensor& got, const at::Tensor& expected) {
  if (got.sizes() != expected.sizes()) return got;
  const auto sorted = [](const at::Tensor& x) { return std::get<0>(x.sort(-1)); };
  return sorted(got).equal(sorted(expected)) ? expected : got;
}

}  // namespace

ConfigNode moe_config(const Json& config) {
  const auto model = config.at("model").get<std::string>();
  if (model == "dense") return {};
  const Json& moe = config.at("moe");
  Json out = model == "promoe_tc"   ? promoe(moe, true)
             : model == "promoe_ec" ? promoe(moe, false)
                                    : baseline(config);
  Json& experts = out["experts"];
  experts["gated"] = false;
  experts["bias"] = true;
  experts["activation"] = "gelu_tanh";
  experts["init"] = "xavier";
  return to_config(out);
}

DitParams dit_params(const Json& config) {
  Json known = Json::object();
  for (const char* key :
       {"input_size", "patch_size", "in_channels", "hidden_size", "depth", "num_heads", "head_dim",
        "mlp_ratio", "qk_norm", "learn_sigma", "num_classes"})
    known[key] = config.at(key);
  DitParams out = parse_params<DitParams>(to_config(known), "config");
  out.class_dropout_prob = 0;
  out.moe = moe_config(config);
  if (!out.moe.is_null()) out.interleave = config.at("moe").at("interleave").get<bool>();
  return out;
}

at::Tensor pull(const GoldenCase& c, const at::Tensor& value, const std::string& cotangent) {
  return (value * c.input(cotangent)).sum();
}

void RoutingRecord::record(const std::string& site, const Assignment& assignment,
                           const at::Tensor& scores, const ForwardContext& context) {
  const int64_t tokens = assignment.tokens();
  const auto sequence_T = sequence_of(context.level(), tokens);
  const auto cond_T = context.cond_mask.defined()
                          ? context.cond_mask.to(sequence_T.device()).index_select(0, sequence_T)
                          : at::ones({tokens}, sequence_T.options().dtype(at::kBool));
  sites[site] = {assignment, scores, cond_T};
}

namespace {

/// One layer's comparison.
class RoutingComparison {
 public:
  RoutingComparison(const GoldenCase& c, GoldenResult& result, std::string prefix,
                    const RoutingRecord::Site& site)
      : c_(c), result_(result), prefix_(std::move(prefix)), site_(site) {
    const auto expected = c.tensor(prefix_ + "combine");
    batch_ = expected.size(0);
    combine_ = combine_of(site.assignment, batch_);
  }

  void token_choice() {
    const auto stored = c_.tensor(prefix_ + "scores");
    const int64_t experts = stored.size(2), k = c_.tensor(prefix_ + "indices").size(2);
    result_.compare(prefix_ + "scores", routed_scores(site_, batch_, experts, false));
    // Images without a class hold the extra slot k times, with weights 1, 0, ..
    const auto& a = site_.assignment;
    auto indices = at::full({a.tokens(), k}, experts, at::kLong);
    auto weights = at::zeros({a.tokens(), k}, combine_.options());
    weights.select(1, 0).fill_(1);
    const auto offset = a.token_offset.cpu(), slot = a.slot_of.cpu();
    const int64_t* at = offset.const_data_ptr<int64_t>();
    for (int64_t t = 0; t < a.tokens(); ++t) {
      if (slot[at[t]].item<int64_t>() >= experts) continue;
      indices[t].copy_(slot.narrow(0, at[t], k));
      weights[t].copy_(a.weight.detach().narrow(0, at[t], k));
    }
    result_.compare(prefix_ + "indices", indices.view({batch_, -1, k}));
    result_.compare(prefix_ + "weights", weights.view({batch_, -1, k}));
  }

  /// [Bc, E, N] or, over the whole batch, [E, M].
  void expert_choice() {
    const auto stored = c_.tensor(prefix_ + "scores");
    const bool pooled = stored.dim() == 2;
    const int64_t experts = stored.size(pooled ? 0 : 1);
    const bool some = !pooled && stored.size(0) < batch_;
    auto scores = routed_scores(site_, batch_, experts, some);
    auto factor = combine_.narrow(2, 0, experts);
    if (some) {
      const auto kept = site_.cond_T.view({batch_, -1}).select(1, 0).nonzero().select(1, 0);
      factor = factor.index_select(0, kept);
    }
    if (pooled) {
      scores = scores.reshape({-1, experts});
      factor = factor.reshape({-1, experts});
    }
    scores = scores.transpose(-1, -2);
    factor = factor.transpose(-1, -2);
    result_.compare(prefix_ + "scores", scores);
    const auto indices = c_.tensor(prefix_ + "indices").to(factor.device());
    if (indices.dim() == 1) return flat_choice(scores, factor, indices);
    const auto chosen = factor.masked_fill(factor == 0, 0).abs() > 0;
    const auto best =
        std::get<1>(scores.masked_fill(chosen.logical_not(), -1e30).topk(indices.size(-1), -1));
    const auto order = in_stored_order(best, indices);
    result_.compare(prefix_ + "indices", order);
    result_.compare(prefix_ + "weights", factor.gather(-1, order));
  }

  void common() {
    result_.compare(prefix_ + "combine", combine_);
    result_.compare(prefix_ + "counts", site_.assignment.count());
  }

  void predictor(const Module& layer) {
    for (const Module* module : layer.modules()) {
      const auto* selector = dynamic_cast<const CapacityPredictorSelector*>(module);
      if (!selector) continue;
      result_.compare(prefix_ + "capacity_logits",
                      selector->logits().detach().view({batch_, -1, combine_.size(2)}));
      if (c_.has(prefix_ + "mask"))
        result_.compare(prefix_ + "mask", (combine_ != 0).to(combine_.scalar_type()));
      for (const ParamView& view : layer.views()) {
        if (view.name == "expert_threshold" && c_.has(prefix_ + "expert_threshold_after"))
          result_.compare(prefix_ + "expert_threshold_after", view.value());
      }
    }
  }

 private:
  /// Expert by expert, best first; lengths are the counts.
  void flat_choice(const at::Tensor& scores_EM, const at::Tensor& factor_EM,
                   const at::Tensor& stored) {
    std::vector<at::Tensor> indices, weights;
    int64_t begin = 0;
    for (int64_t e = 0; e < scores_EM.size(0); ++e) {
      const auto token = (factor_EM[e] != 0).nonzero().select(1, 0);
      const auto best = std::get<1>(scores_EM[e].index_select(0, token).sort(-1, true));
      const int64_t count = std::min(token.size(0), stored.size(0) - begin);
      indices.push_back(
          in_stored_order(token.index_select(0, best), stored.narrow(0, begin, count)));
      weights.push_back(factor_EM[e].index_select(0, indices.back()));
      begin += count;
    }
    result_.compare(prefix_ + "indices", at::cat(indices));
    result_.compare(prefix_ + "weights", at::cat(weights));
  }

  const GoldenCase& c_;
  GoldenResult& result_;
  std::string prefix_;
  const RoutingRecord::Site& site_;
  int64_t batch_ = 0;
  at::Tensor combine_;
};

}  // namespace

void compare_routing(const GoldenCase& c, GoldenResult& result, const std::string& pass,
                     const std::string& prefix, const RoutingRecord::Site& site,
                     const Module& layer) {
  const std::string start = "outputs/" + pass + "/" + prefix + "router.";
  RoutingComparison comparison(c, result, start, site);
  comparison.common();
  if (c.has(start + "scores")) {
    const auto model = c.config.at("model").get<std::string>();
    model == "promoe_tc" || model == "tc_dit" ? comparison.token_choice()
                                              : comparison.expert_choice();
  }
  comparison.predictor(layer);
}

at::Tensor sum_of_losses(const ForwardContext& context, const at::TensorOptions& options) {
  at::Tensor sum = at::zeros({}, options);
  for (const auto& [name, value] : context.losses()) sum = sum + value;
  return sum;
}

at::Tensor compare_aux(const GoldenCase& c, GoldenResult& result, const std::string& prefix,
                       const std::string& site, const ForwardContext& context) {
  std::map<std::string, at::Tensor> found;
  at::Tensor total = at::zeros({}, c.dtype);
  for (const auto& [name, value] : context.losses()) {
    if (!name.ends_with("/" + site)) continue;
    found[name.substr(0, name.find('/'))] = value.detach().cpu().view({1});
    total = total + value.detach().cpu();
  }
  const std::map<std::string, std::string> published = {
      {"rcl", "contrastive"}, {"balance", "balance"}, {"capacity_bce", "selector"}};
  for (const auto& [theirs, ours] : published) {
    const std::string name = "outputs/train/" + prefix + "aux." + theirs;
    if (!c.has(name)) continue;
    auto value = found.count(ours) ? found[ours] : at::zeros({1}, c.dtype);
    if (theirs == "capacity_bce")  // stored before weighting
      value = value / c.config.at("capacity_loss_weight").get<double>();
    result.compare(name, value);
  }
  const std::string name = "outputs/train/" + prefix + "aux.total";
  if (c.has(name)) result.compare(name, total.view({1}));
  return total;
}

}  // namespace switchyard::diffusion_golden
