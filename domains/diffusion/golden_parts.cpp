#include "domains/diffusion/golden_parts.h"

#include <ATen/ops/zeros.h>

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
