#include "domains/point_cloud/golden.h"

#include "domains/point_cloud/golden_parts.h"
#include "domains/point_cloud/golden_set.h"
#include "domains/point_cloud/loss.h"
#include "domains/point_cloud/model/neighbor_map.h"
#include "domains/point_cloud/model/pooling.h"
#include "domains/point_cloud/model/subm_conv_layer.h"
#include "routers/register.h"

namespace switchyard {
namespace point_golden {
namespace {

at::Tensor index_tensor(const std::vector<int64_t>& values) {
  return at::tensor(values, at::kLong);
}
at::Tensor number(int64_t value) { return at::scalar_tensor(value, at::kLong); }

at::Tensor batch_of(const Serialization& s) {
  return s.code_RN.select(0, 0).bitwise_right_shift(3 * s.depth);
}

void compare_curves(const Serialization& s, GoldenResult& result) {
  result.compare("outputs/code", s.code_RN);
  result.compare("outputs/order", s.order_RN);
  result.compare("outputs/inverse", s.inverse_RN);
  result.compare("outputs/depth", number(s.depth));
  result.compare("outputs/batch", batch_of(s));
}

std::vector<Curve> all_curves() {
  return {Curve::Z, Curve::ZTrans, Curve::Hilbert, Curve::HilbertTrans};
}

}  // namespace

std::vector<int64_t> list_of(const at::Tensor& values) {
  const auto flat = values.contiguous();
  return {flat.const_data_ptr<int64_t>(), flat.const_data_ptr<int64_t>() + flat.numel()};
}

std::vector<int64_t> offset_of(const GoldenCase& c) {
  auto offset = list_of(c.input("offset"));
  offset.insert(offset.begin(), 0);
  return offset;
}

std::vector<std::vector<int64_t>> rows_of(const at::Tensor& rows) {
  std::vector<std::vector<int64_t>> out;
  for (int64_t i = 0; i < rows.size(0); ++i) out.push_back(list_of(rows.select(0, i)));
  return out;
}

at::Tensor pull(const GoldenCase& c, const at::Tensor& y, const std::string& cotangent) {
  return (y * c.input(cotangent)).sum();
}

PointNormConfig batch_norm_of(const GoldenCase& c) {
  PointNormConfig norm;
  norm.eps = c.config.at("bn_eps").get<double>();
  norm.momentum = c.config.at("bn_momentum").get<double>();
  return norm;
}

void run_serialization(const GoldenCase& c, GoldenResult& result) {
  std::vector<Curve> curves;
  for (const auto& name : c.config.at("orders"))
    curves.push_back(curve_from_name(name.get<std::string>()));
  const auto& depth = c.config.at("depth");
  const auto grid = c.input("grid_coord");
  auto s = serialize(grid.to(c.device), offset_of(c), curves,
                     depth.is_number() ? depth.get<int>() : curve_depth(grid));
  result.compare("outputs/code_unshuffled", s.code_RN);
  result.compare("outputs/batch", batch_of(s));
  permute_rows(s, list_of(c.input("order_perm")));
  compare_curves(s, result);
}

void run_patches(const GoldenCase& c, GoldenResult& result) {
  const auto mode = patch_mode_from_name(c.config.at("mode").get<std::string>());
  const auto patches = make_patches(offset_of(c), c.config.at("patch_size").get<int64_t>(), mode);
  const auto pad = index_tensor(patches.pad), unpad = index_tensor(patches.unpad);
  result.compare("outputs/pad", pad);
  result.compare("outputs/unpad", unpad);
  result.compare("outputs/cu_seqlens", index_tensor(patches.cu_seqlens));
  result.compare("outputs/gather", c.input("order").index_select(0, pad));
  result.compare("outputs/scatter", unpad.index_select(0, c.input("inverse")));
}

void run_subm_conv(const GoldenCase& c, GoldenResult& result) {
  const auto x = c.input("feat").requires_grad_(true);
  const auto size = [&](const char* key) { return c.config.at(key).get<int64_t>(); };
  SubmConv conv(size("in_channels"), size("out_channels"), size("kernel_size"),
                c.config.at("bias").get<bool>());
  c.load_weights(conv);
  const auto map =
      neighbor_map(c.input("grid_coord").to(c.device), offset_of(c), size("kernel_size"));
  const auto y = conv.forward(x, map);
  const auto loss = pull(c, y);
  loss.backward();
  const auto neighbor = map.to(at::kLong);
  result.compare("outputs/neighbor", neighbor);
  result.compare("outputs/pair_count", (neighbor >= 0).sum(0));
  result.compare("outputs/feat", y);
  result.compare("outputs/loss", loss);
  result.compare("grads/inputs/feat", x.grad());
  result.compare_module(conv);
}

void run_pooling(const GoldenCase& c, GoldenResult& result) {
  const auto x = c.input("feat").requires_grad_(true);
  const auto size = [&](const char* key) { return c.config.at(key).get<int64_t>(); };
  SerializedPooling pool(size("in_channels"), size("out_channels"), size("stride"),
                         reduction_from_name(c.config.at("reduce").get<std::string>()),
                         batch_norm_of(c));
  c.load_weights(pool);
  pool.train(c.config.at("train").get<bool>());
  const auto rows = rows_of(c.input("order_perm"));
  PointState state{std::make_shared<PointLevel>(c.input("grid_coord"), c.input("coord"),
                                                offset_of(c), all_curves(), rows.at(0)),
                   x,
                   {}};
  result.compare("outputs/in_code", state.level->curves().code_RN);
  result.compare("outputs/in_depth", number(state.level->curves().depth));
  ForwardContext context;
  context.start(state.level->tokens({}));
  result.compare("outputs/cluster", pool.forward(state, rows.at(1), context).index());
  const auto loss = pull(c, state.feat_NC);
  loss.backward();
  compare_curves(state.level->curves(), result);
  result.compare("outputs/grid_coord", state.level->grid());
  result.compare("outputs/coord", state.level->coord());
  const auto& offset = state.level->offset();
  result.compare("outputs/offset", index_tensor({offset.begin() + 1, offset.end()}));
  result.compare("outputs/feat", state.feat_NC);
  result.compare("outputs/loss", loss);
  result.compare("grads/inputs/feat", x.grad());
  result.compare_module(pool);
}

void run_unpooling(const GoldenCase& c, GoldenResult& result) {
  const auto child = c.input("child_feat").requires_grad_(true);
  const auto parent = c.input("parent_feat").requires_grad_(true);
  SerializedUnpooling unpool(child.size(1), parent.size(1),
                             c.config.at("out_channels").get<int64_t>(), batch_norm_of(c));
  c.load_weights(unpool);
  unpool.train(c.config.at("train").get<bool>());
  const std::vector<int64_t> below = {0, child.size(0)}, above = {0, parent.size(0)};
  const auto sum = unpool.forward({child, below}, {parent, above},
                                  RowIndex(c.input("pooling_inverse"), child.size(0), c.device),
                                  ForwardContext());
  const auto loss = pull(c, sum.feat_NC) + pull(c, sum.skip_NC, "cotangent_sparse");
  loss.backward();
  result.compare("outputs/feat", sum.feat_NC);
  result.compare("outputs/sparse_feat", sum.skip_NC);
  result.compare("outputs/loss", loss);
  result.compare("grads/inputs/child_feat", child.grad());
  result.compare("grads/inputs/parent_feat", parent.grad());
  result.compare_module(unpool);
}

at::Tensor criterion(const Json& config, const at::Tensor& logits, const at::Tensor& label) {
  const int64_t ignore = config.at("ignore_index").get<int64_t>();
  const double weight = config.at("loss_weight").get<double>();
  if (config.at("type") == "LovaszLoss") return weight * lovasz_softmax(logits, label, ignore);
  return weight * cross_entropy(logits, label, {ignore, config.value("label_smoothing", 0.0), {}});
}

void run_losses(const GoldenCase& c, GoldenResult& result) {
  const auto label = c.input("segment").to(c.device);
  const auto& criteria = c.config.at("criteria");
  for (const std::string part : {"ce", "lovasz", "total"}) {
    const auto logits = c.input("logits").requires_grad_(true);
    auto loss = logits.narrow(0, 0, 0).sum();
    for (const auto& config : criteria) {
      const bool is_lovasz = config.at("type") == "LovaszLoss";
      if (part == "total" || (part == "lovasz") == is_lovasz)
        loss = loss + criterion(config, logits, label);
    }
    loss.backward();
    result.compare("outputs/" + part, loss);
    result.compare("grads/" + part + "/logits", logits.grad());
  }
}

}  // namespace point_golden

void register_point_cloud_golden() {
  [[maybe_unused]] static const bool once = [] {
    namespace g = point_golden;
    register_routers();
    register_point_moe_golden_set();
    const auto add = [](const char* kind, GoldenRun run, std::vector<std::string> skip = {}) {
      register_golden_kind("point_moe", kind, std::move(run), std::move(skip));
    };
    add("serialization", g::run_serialization, {"outputs/randperm4_draws"});
    add("patches", g::run_patches);
    add("subm_conv", g::run_subm_conv);
    add("pooling", g::run_pooling);
    add("unpooling", g::run_unpooling);
    add("losses", g::run_losses);
    add("attention", g::run_attention);
    add("block", g::run_block);
    add("ptv3", g::run_ptv3);
    add("ptmoe", g::run_ptv3);
    add("pdnorm", g::run_pdnorm);
    add("ppt", g::run_ppt);
    add("mixed_head", g::run_mixed_head);
    add("ptmoe_seg", g::run_ptmoe_seg);
    add("augment", g::run_augment);
    add("grid_sample", g::run_grid_sample);
    add("tta_vote", g::run_tta_vote);
    return true;
  }();
}

}  // namespace switchyard
