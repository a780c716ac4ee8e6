#include "domains/point_cloud/golden_net.h"

#include "routers/losses/balance.h"

namespace switchyard::point_golden {
namespace {

/// The files' short form of a Point-MoE site as a config node.
ConfigNode moe_node(const Json& moe) {
  Json node;
  node["router"]["selector"] = {{"type", "topk"}, {"k", moe.at("k")}};
  if (given(moe, "alpha"))
    node["router"]["losses"] = {{{"type", "balance"}, {"alpha", moe.at("alpha")}}};
  node["experts"] = {{"count", moe.at("E")}, {"hidden_mult", moe.at("m").get<double>()}};
  if (given(moe, "shared")) node["experts"]["shared"] = moe.at("shared");
  if (given(moe, "act")) node["experts"]["activation"] = moe.at("act");
  return to_config(node);
}

std::string moe_where(const Json& moe) { return moe.value("where", "proj"); }

PointNormConfig block_norm(const Json& config) {
  auto norm = PointNormConfig::layer();
  if (!given(config, "pdnorm_ln")) return norm;
  const auto& prompt = config.at("pdnorm_ln");
  norm.prompt = PromptNormConfig{};
  norm.prompt->conditions = static_cast<int64_t>(prompt.at("conditions").size());
  norm.prompt->adaptive = prompt.at("adaptive").get<bool>();
  norm.prompt->context_channels = prompt.value("context_channels", int64_t{0});
  return norm;
}

PointBlockConfig block_config(const Json& config) {
  PointBlockConfig out;
  out.attention.channels = config.at("channels").get<int64_t>();
  out.attention.heads = config.at("num_heads").get<int64_t>();
  out.attention.patch_size = config.at("patch_size").get<int64_t>();
  out.attention.mode = patch_mode(config, "attn_mode");
  out.attention.enable_rpe = config.at("enable_rpe").get<bool>();
  out.norm = block_norm(config);
  out.mlp_ratio = config.at("mlp_ratio").get<double>();
  out.drop_path = config.at("drop_path").get<double>();
  out.order_row = config.at("order_index").get<int64_t>();
  out.pre_norm = config.at("pre_norm").get<bool>();
  if (given(config, "moe")) {
    const auto where = moe_where(config.at("moe"));
    if (where != "mlp") out.attn_out_proj = moe_node(config.at("moe"));
    if (where != "proj") out.ffn = moe_node(config.at("moe"));
  }
  return out;
}

}  // namespace

at::Tensor index_tensor(const std::vector<int64_t>& values) {
  return at::tensor(values, at::kLong);
}

bool given(const Json& config, const char* key) {
  return config.contains(key) && !config.at(key).is_null();
}

PatchMode patch_mode(const Json& config, const char* key) {
  return patch_mode_from_name(config.at(key).get<std::string>());
}

void RouterComparison::record(const std::string& site, const RouterOutput& routed,
                              const ForwardContext&) {
  const Assignment& a = routed.assignment;
  const std::string at = "outputs/router/" + prefix_ + site + "/";
  if (!c_.has(at + "idx")) return;
  result_.compare(at + "idx", a.slot_of.view({a.tokens(), -1}));
  result_.compare(at + "weight", a.weight.view({a.tokens(), -1}));
  result_.compare(at + "count", a.count());
  result_.compare(at + "probs", routed.scores_TE);
  result_.compare(at + "aux", balance_term(routed.scores_TE, a.count()));
}

std::shared_ptr<PointLevel> level_of(const GoldenCase& c) {
  const auto grid = c.input("grid_coord");
  const auto coord = c.has("inputs/coord") ? c.input("coord") : grid.to(c.device, c.dtype);
  const std::vector<Curve> curves = {Curve::Z, Curve::ZTrans, Curve::Hilbert, Curve::HilbertTrans};
  return std::make_shared<PointLevel>(grid, coord, offset_of(c), curves);
}

PointHooks hooks_of(const GoldenCase& c, GoldenResult& result, const std::string& prefix) {
  PointHooks hooks;
  hooks.observe = [&c, &result, prefix](const std::string& name, const at::Tensor& value) {
    if (c.has(prefix + name)) result.compare(prefix + name, value);
  };
  const std::string masks = "inputs/drop_mask/";
  for (const auto& name : c.file.names()) {
    if (!name.starts_with(masks)) continue;
    const auto key = name.substr(masks.size());
    hooks.drop_mask[key.find('/') == std::string::npos ? "/" + key : key] = c.tensor(name);
  }
  return hooks;
}

void run_block(const GoldenCase& c, GoldenResult& result) {
  const auto x = c.input("feat").requires_grad_(true);
  const auto sparse =
      c.has("inputs/sparse_feat") ? c.input("sparse_feat").requires_grad_(true) : at::Tensor();
  PointBlock block(block_config(c.config), "");
  c.load_weights(block);
  block.train(c.config.at("train").get<bool>());
  PointState state{level_of(c), x, sparse};
  RouterComparison trace(c, result);
  ForwardContext context;
  context.start(state.level->tokens({}));
  context.trace = &trace;
  at::Tensor prompt;
  if (given(c.config, "pdnorm_ln")) {
    const auto clouds = offset_of(c).size() - 1;
    context.condition.assign(clouds, c.config.at("pdnorm_ln").at("use").get<int64_t>());
    if (c.has("inputs/context")) prompt = c.input("context").requires_grad_(true);
    if (prompt.defined()) context.cond = prompt.expand({static_cast<int64_t>(clouds), -1});
  }
  block.forward(state, hooks_of(c, result, "outputs/"), context);
  const auto loss = pull(c, state.feat_NC);
  loss.backward();
  result.compare("outputs/feat", state.feat_NC);
  result.compare("outputs/loss", loss);
  result.compare("grads/inputs/feat", x.grad());
  if (sparse.defined()) result.compare("grads/inputs/sparse_feat", sparse.grad());
  if (prompt.defined()) result.compare("grads/inputs/context", prompt.grad());
  result.compare_module(block);
}

void run_pdnorm(const GoldenCase& c, GoldenResult& result) {
  const auto x = c.input("feat").requires_grad_(true);
  const auto text = [&](const char* key) { return c.config.at(key).get<std::string>(); };
  auto config = text("norm") == "bn" ? batch_norm_of(c) : PointNormConfig::layer();
  config.prompt =
      PromptNormConfig{static_cast<int64_t>(c.config.at("conditions").size()), true,
                       c.config.at("adaptive").get<bool>(), c.config.at("affine").get<bool>(),
                       c.config.at("context_channels").get<int64_t>()};
  PointNorm norm(x.size(1), config);
  c.load_weights(norm);
  norm.train(c.config.at("train").get<bool>());
  ForwardContext context;
  context.condition = {c.config.at("condition_index").get<int64_t>()};
  if (c.has("inputs/context")) context.cond = c.input("context").requires_grad_(true);
  const auto y = norm.forward(x, {0, x.size(0)}, context);
  const auto loss = pull(c, y);
  loss.backward();
  result.compare("outputs/feat", y);
  result.compare("outputs/loss", loss);
  result.compare("grads/inputs/feat", x.grad());
  if (context.cond.defined()) result.compare("grads/inputs/context", context.cond.grad());
  result.compare_module(norm);
}

Ptv3Params net_params(const Json& config) {
  Ptv3Params p;
  const auto list = [&](const char* key) { return config.at(key).get<std::vector<int64_t>>(); };
  p.in_channels = config.at("in_channels").get<int64_t>();
  p.stride = list("stride");
  p.enc_depths = list("enc_depths");
  p.enc_channels = list("enc_channels");
  p.enc_num_head = list("enc_num_head");
  p.enc_patch_size = list("enc_patch_size");
  p.dec_depths = list("dec_depths");
  p.dec_channels = list("dec_channels");
  p.dec_num_head = list("dec_num_head");
  p.dec_patch_size = list("dec_patch_size");
  p.drop_path = config.value("drop_path", 0.0);
  p.bn_momentum = config.at("bn_momentum").get<double>();
  p.stale_cpe = config.at("stale_cpe").get<bool>();
  p.orders = config.at("order").get<std::vector<std::string>>();
  p.attn_mode = config.at("attn_mode").get<std::string>();
  p.enable_rpe = config.value("enable_rpe", false);
  if (given(config, "pdnorm")) {
    const auto& prompt = config.at("pdnorm");
    p.pdnorm_bn = prompt.at("bn").get<bool>();
    p.pdnorm_ln = prompt.at("ln").get<bool>();
    p.pdnorm_adaptive = prompt.at("adaptive").get<bool>();
    p.conditions = static_cast<int64_t>(prompt.at("conditions").size());
  }
  if (given(config, "moe")) {
    const auto where = moe_where(config.at("moe"));
    if (where != "mlp") p.moe.child("attn_out_proj") = moe_node(config.at("moe"));
    if (where != "proj") p.moe.child("ffn") = moe_node(config.at("moe"));
  }
  return p;
}

void compare_levels(const GoldenCase& c, const Ptv3Output& out, GoldenResult& result) {
  for (size_t s = 0; s < out.levels.size(); ++s) {
    const std::string at = "outputs/level" + std::to_string(s) + "/";
    const PointLevel& level = *out.levels[s];
    const auto compare = [&](const std::string& name, const at::Tensor& value) {
      if (c.has(at + name)) result.compare(at + name, value);
    };
    compare("code", level.curves().code_RN);
    compare("order", level.curves().order_RN);
    compare("inverse", level.curves().inverse_RN);
    compare("depth", at::scalar_tensor(level.curves().depth, at::kLong));
    compare("grid_coord", level.grid());
    compare("coord", level.coord());
    compare("offset", index_tensor({level.offset().begin() + 1, level.offset().end()}));
    if (s > 0) compare("cluster", out.clusters[s - 1].index());
  }
}

PointHooks net_hooks(const GoldenCase& c, GoldenResult& result) {
  auto hooks = hooks_of(c, result, "outputs/stage/");
  hooks.order_rows = rows_of(c.input("order_perm"));
  return hooks;
}

PointInput net_input(const GoldenCase& c, const at::Tensor& feat_NC) {
  return {c.input("coord"), c.input("grid_coord"), feat_NC, offset_of(c)};
}

void run_ptv3(const GoldenCase& c, GoldenResult& result) {
  Ptv3 net(net_params(c.config));
  c.load_weights(net);
  net.train(c.config.at("train").get<bool>());
  const auto x = c.input("feat").requires_grad_(true);
  RouterComparison trace(c, result);
  ForwardContext context = traced_context(net, trace);
  const auto out = net.forward(net_input(c, x), context, net_hooks(c, result));
  auto loss = pull(c, out.feat_NC);
  for (const auto& [name, value] : context.losses()) loss = loss + value;
  loss.backward();
  compare_levels(c, out, result);
  result.compare("outputs/feat", out.feat_NC);
  result.compare("outputs/loss", loss);
  result.compare("grads/inputs/feat", x.grad());
  result.compare_module(net);
}

}  // namespace switchyard::point_golden
