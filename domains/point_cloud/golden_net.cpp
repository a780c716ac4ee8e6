#include "core/moe/assignment.h"
#include "core/moe/trace.h"
#include "domains/point_cloud/golden_parts.h"
#include "domains/point_cloud/model/dense_sub_layers.h"
#include "domains/point_cloud/model/ptv3.h"
#include "routers/losses/balance.h"

namespace switchyard::point_golden {
namespace {

at::Tensor index_tensor(const std::vector<int64_t>& values) {
  return at::tensor(values, at::kLong);
}

/// Compares every routing decision under outputs/router/<site>/.
class RouterComparison : public TraceSink {
 public:
  RouterComparison(const GoldenCase& c, GoldenResult& result) : c_(c), result_(result) {}
  void record(const std::string& site, const Assignment& a, const at::Tensor& scores,
              const ForwardContext&) override {
    const std::string at = "outputs/router/" + site + "/";
    if (!c_.has(at + "idx")) return;
    result_.compare(at + "idx", a.slot_of.view({a.tokens(), -1}));
    result_.compare(at + "weight", a.weight.view({a.tokens(), -1}));
    result_.compare(at + "count", a.count());
    result_.compare(at + "probs", scores);
    result_.compare(at + "aux", balance_term(scores, a.count()));
  }

 private:
  const GoldenCase& c_;
  GoldenResult& result_;
};

bool flag(const Json& config, const char* key) {
  return config.contains(key) && config.at(key).get<bool>();
}
bool given(const Json& config, const char* key) {
  return config.contains(key) && !config.at(key).is_null();
}

void check_covered(const GoldenCase& c) {
  if (flag(c.config, "enable_rpe")) throw NotCovered{"relative position bias"};
  if (given(c.config, "pdnorm_ln") || given(c.config, "pdnorm")) throw NotCovered{"PDNorm"};
  if (given(c.config, "compute_dtype") &&
      (c.config.at("compute_dtype") != "f64" || flag(c.config, "upcast_attention") ||
       flag(c.config, "upcast_softmax")))
    throw NotCovered{"reduced-precision attention"};
}

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

/// softmax(q k^T scale) of every patch and head, flattened one behind the other.
at::Tensor probabilities(const at::Tensor& qkv_NC, const at::Tensor& point_of_slot,
                         const Patches& patches, int64_t heads) {
  const int64_t width = qkv_NC.size(1) / 3 / heads;
  const auto slots = qkv_NC.index_select(0, point_of_slot).view({-1, 3, heads, width});
  std::vector<at::Tensor> parts;
  for (size_t i = 0; i + 1 < patches.cu_seqlens.size(); ++i) {
    const int64_t begin = patches.cu_seqlens[i], length = patches.cu_seqlens[i + 1] - begin;
    const auto part = slots.narrow(0, begin, length).permute({1, 2, 0, 3});
    const auto scores =
        at::matmul(part[0], part[1].transpose(1, 2)) / std::sqrt(static_cast<double>(width));
    parts.push_back(at::softmax(scores, -1).reshape({-1}));
  }
  return at::cat(parts);
}

void compare_patches(const GoldenCase& c, const PointLevel& level, int64_t row,
                     GoldenResult& result) {
  const auto mode = patch_mode_from_name(c.config.at("mode").get<std::string>());
  const auto patches = make_patches(level.offset(), c.config.at("patch_size").get<int64_t>(), mode);
  const auto slots =
      level.curves().order_RN.select(0, row).index_select(0, index_tensor(patches.pad));
  const auto cu = index_tensor(patches.cu_seqlens);
  result.compare("outputs/slot_point", slots);
  result.compare("outputs/patch_len",
                 cu.narrow(0, 1, cu.size(0) - 1) - cu.narrow(0, 0, cu.size(0) - 1));
  const auto qkv =
      at::linear(c.input("feat"), c.tensor("weights/qkv.weight"), c.tensor("weights/qkv.bias"));
  result.compare("outputs/attn",
                 probabilities(qkv, slots.to(c.device), patches, c.config.at("num_heads").get<int64_t>()));
}

std::shared_ptr<PointLevel> level_of(const GoldenCase& c, const std::vector<int64_t>& rows = {}) {
  const auto coord = c.has("inputs/coord") ? c.input("coord") : c.input("grid_coord").to(c.device, c.dtype);
  const std::vector<Curve> curves = {Curve::Z, Curve::ZTrans, Curve::Hilbert, Curve::HilbertTrans};
  return std::make_shared<PointLevel>(c.input("grid_coord"), coord, offset_of(c), curves, rows);
}

}  // namespace

void run_attention(const GoldenCase& c, GoldenResult& result) {
  check_covered(c);
  if (!c.config.at("qkv_bias").get<bool>() || given(c.config, "qk_scale"))
    throw NotCovered{"attention without qkv bias or with its own scale"};
  const auto x = c.input("feat").requires_grad_(true);
  const int64_t row = c.config.at("order_index").get<int64_t>();
  SerializedAttention attention(x.size(1), c.config.at("num_heads").get<int64_t>(),
                                c.config.at("patch_size").get<int64_t>(),
                                patch_mode_from_name(c.config.at("mode").get<std::string>()),
                                std::make_unique<LinearSubLayer>(x.size(1)));
  c.load_weights(attention);
  const auto level = level_of(c);
  compare_patches(c, *level, row, result);
  ForwardContext context;
  context.start(level->tokens({}));
  const auto y = attention.forward(x, *level, row, context);
  const auto loss = pull(c, y);
  loss.backward();
  result.compare("outputs/pre_proj", attention.attend(x, *level, row));
  result.compare("outputs/feat", y);
  result.compare("outputs/loss", loss);
  result.compare("grads/inputs/feat", x.grad());
  result.compare_module(attention);
}

namespace {

PointBlockConfig block_config(const Json& config) {
  PointBlockConfig out{config.at("channels").get<int64_t>(), config.at("num_heads").get<int64_t>(),
                       config.at("patch_size").get<int64_t>()};
  out.mlp_ratio = config.at("mlp_ratio").get<double>();
  out.drop_path = config.at("drop_path").get<double>();
  out.order_row = config.at("order_index").get<int64_t>();
  out.pre_norm = config.at("pre_norm").get<bool>();
  out.mode = patch_mode_from_name(config.at("attn_mode").get<std::string>());
  if (given(config, "moe")) {
    const auto where = moe_where(config.at("moe"));
    if (where != "mlp") out.attn_out_proj = moe_node(config.at("moe"));
    if (where != "proj") out.ffn = moe_node(config.at("moe"));
  }
  return out;
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

}  // namespace

void run_block(const GoldenCase& c, GoldenResult& result) {
  check_covered(c);
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
  block.forward(state, hooks_of(c, result, "outputs/"), context);
  const auto loss = pull(c, state.feat_NC);
  loss.backward();
  result.compare("outputs/feat", state.feat_NC);
  result.compare("outputs/loss", loss);
  result.compare("grads/inputs/feat", x.grad());
  if (sparse.defined()) result.compare("grads/inputs/sparse_feat", sparse.grad());
  result.compare_module(block);
}

namespace {

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
    if (s > 0) compare("cluster", out.clusters[s - 1]);
  }
}

}  // namespace

void run_ptv3(const GoldenCase& c, GoldenResult& result) {
  check_covered(c);
  Ptv3 net(net_params(c.config));
  c.load_weights(net);
  net.train(c.config.at("train").get<bool>());
  const auto x = c.input("feat").requires_grad_(true);
  auto hooks = hooks_of(c, result, "outputs/stage/");
  hooks.order_rows = rows_of(c.input("order_perm"));
  RouterComparison trace(c, result);
  ForwardContext context;
  context.training = net.training();
  context.trace = &trace;
  const auto out =
      net.forward({c.input("coord"), c.input("grid_coord"), x, offset_of(c)}, context, hooks);
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
