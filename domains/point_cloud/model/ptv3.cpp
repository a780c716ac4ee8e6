#include "domains/point_cloud/model/ptv3.h"

#include <ATen/ops/gelu.h>

#include "core/base/step_timer.h"

namespace switchyard {
namespace {

/// float32 linspace(0, last, count), as the published code draws it.
std::vector<double> drop_path_rates(double last, int64_t count) {
  std::vector<double> rates;
  const float step = count > 1 ? static_cast<float>(last) / static_cast<float>(count - 1) : 0.f;
  for (int64_t i = 0; i < count; ++i) {
    const bool first_half = i < count / 2;
    rates.push_back(first_half ? step * static_cast<float>(i) : static_cast<float>(last) - step * static_cast<float>(count - 1 - i));
  }
  if (count == 1) rates = {0.0};
  return rates;
}

int64_t sum(const std::vector<int64_t>& values) { return std::accumulate(values.begin(), values.end(), int64_t{0}); }

void check_sizes(const Ptv3Params& p) {
  const size_t levels = p.enc_depths.size(), decoded = p.dec_depths.size();
  const auto same = [](const std::string& key, size_t got, size_t expected) {
    check(got == expected, "model." + key, "wrong length: got ", got, ", expected ", expected);
  };
  check(levels >= 1, "model.enc_depths", "needs at least one level");
  same("stride", p.stride.size(), levels - 1);
  same("enc_channels", p.enc_channels.size(), levels);
  same("enc_num_head", p.enc_num_head.size(), levels);
  same("enc_patch_size", p.enc_patch_size.size(), levels);
  if (decoded > 0) same("dec_depths", decoded, levels - 1);
  same("dec_channels", p.dec_channels.size(), decoded);
  same("dec_num_head", p.dec_num_head.size(), decoded);
  same("dec_patch_size", p.dec_patch_size.size(), decoded);
}

}  // namespace

void Ptv3Params::declare(Fields<Ptv3Params>& f) {
  f.add("in_channels", &Ptv3Params::in_channels, "input features per voxel", at_least(1));
  f.add("order", &Ptv3Params::order, "curves: z, z-trans, hilbert, hilbert-trans");
  f.add("stride", &Ptv3Params::stride, "pooling strides, powers of two", between(1, 64));
  f.add("enc_depths", &Ptv3Params::enc_depths, "encoder blocks per level", at_least(0));
  f.add("enc_channels", &Ptv3Params::enc_channels, "encoder widths", at_least(1));
  f.add("enc_num_head", &Ptv3Params::enc_num_head, "encoder heads", at_least(1));
  f.add("enc_patch_size", &Ptv3Params::enc_patch_size, "encoder patch sizes", at_least(1));
  f.add("dec_depths", &Ptv3Params::dec_depths, "decoder blocks per level; empty: encoder only", at_least(0));
  f.add("dec_channels", &Ptv3Params::dec_channels, "decoder widths", at_least(1));
  f.add("dec_num_head", &Ptv3Params::dec_num_head, "decoder heads", at_least(1));
  f.add("dec_patch_size", &Ptv3Params::dec_patch_size, "decoder patch sizes", at_least(1));
  f.add("mlp_ratio", &Ptv3Params::mlp_ratio, "hidden width of the MLP over the block's", between(0.1, 64));
  f.add("drop_path", &Ptv3Params::drop_path, "largest drop-path rate", between(0, 0.99));
  f.add("bn_eps", &Ptv3Params::bn_eps, "batch norm epsilon", at_least(0));
  f.add("bn_momentum", &Ptv3Params::bn_momentum, "batch norm momentum", between(0, 1));
  f.add("ln_eps", &Ptv3Params::ln_eps, "layer norm epsilon", at_least(0));
  f.add("attn_mode", &Ptv3Params::attn_mode, "patches of each cloud alone, or one size for the batch", Choices{{"varlen", "fixed"}});
  f.add("pool_reduce", &Ptv3Params::pool_reduce, "pooling reduction", Choices{{"max", "mean", "min", "sum"}});
  f.add("shuffle_orders", &Ptv3Params::shuffle_orders, "permute the orders at the input and in every pooling");
  f.add("stale_cpe", &Ptv3Params::stale_cpe, "published quirk: the first decoder CPE of a level reads the skip branch only");
  f.add("moe", &Ptv3Params::moe, "sites attn_out_proj and ffn: MoE configs");
}

Ptv3::Ptv3(const Ptv3Params& params)
    : params_(params),
      stem_(emplace_child<SubmConv3d>("embedding.stem.conv", params.in_channels, params.enc_channels.at(0), 5, false)),
      stem_norm_(emplace_child<BatchNorm>("embedding.stem.norm", params.enc_channels.at(0), params.bn_eps, params.bn_momentum)) {
  check_sizes(params_);
  add_encoder();
  add_decoder();
}

std::unique_ptr<SubLayer> Ptv3::make_site(const std::string& site, const std::string& name, int64_t channels) const {
  const ConfigNode& moe = params_.moe;
  const ConfigNode* node = moe.is_map() && moe.find("experts") ? &moe : moe.find(site);
  if (node && !node->is_null()) {
    return make_moe_layer(parse_params<MoEConfig>(*node, "model.moe." + site), channels, channels, name);
  }
  if (site == "attn_out_proj") return std::make_unique<DenseSite>(channels, channels);
  return std::make_unique<DenseMlp>(channels, static_cast<int64_t>(static_cast<double>(channels) * params_.mlp_ratio));
}

void Ptv3::add_blocks(Stage& stage, const std::string& name, const std::vector<double>& drop_rates, int64_t channels,
                      int64_t heads, int64_t patch_size) {
  const PatchMode mode = patch_mode_from_name(params_.attn_mode);
  for (size_t i = 0; i < drop_rates.size(); ++i) {
    const std::string block = cat(name, ".block", i);
    BlockShape shape;
    shape.attention = {channels, heads, patch_size, mode, static_cast<int64_t>(i % params_.order.size()), true, {}};
    shape.mlp_ratio = params_.mlp_ratio;
    shape.drop_path = drop_rates[i];
    shape.layer_norm_eps = params_.ln_eps;
    auto& child = emplace_child<PointBlock>(block, shape, make_site("attn_out_proj", block + ".attn.proj", channels),
                                            make_site("ffn", block + ".mlp.0", channels));
    stage.blocks.emplace_back(block, &child);
  }
}

void Ptv3::add_encoder() {
  if (params_.moe.is_map() && !params_.moe.find("experts")) {
    params_detail::check_keys(params_.moe, "model.moe", {"attn_out_proj", "ffn"});
  }
  const auto rates = drop_path_rates(params_.drop_path, sum(params_.enc_depths));
  auto rate = rates.begin();
  for (size_t s = 0; s < params_.enc_depths.size(); ++s) {
    Stage stage;
    const std::string name = cat("enc.enc", s);
    if (s > 0) {
      stage.down = &emplace_child<SerializedPooling>(
          name + ".down", PoolingShape{params_.enc_channels[s - 1], params_.enc_channels[s], params_.stride[s - 1],
                                       params_.pool_reduce, params_.bn_eps, params_.bn_momentum});
    }
    const auto end = rate + params_.enc_depths[s];
    add_blocks(stage, name, {rate, end}, params_.enc_channels[s], params_.enc_num_head[s], params_.enc_patch_size[s]);
    rate = end;
    encoder_.push_back(std::move(stage));
  }
}

void Ptv3::add_decoder() {
  decoder_.resize(params_.dec_depths.size());
  const auto rates = drop_path_rates(params_.drop_path, sum(params_.dec_depths));
  for (size_t s = params_.dec_depths.size(); s-- > 0;) {
    const bool deepest = s + 1 == params_.dec_depths.size();
    const std::string name = cat("dec.dec", s);
    decoder_[s].up = &emplace_child<SerializedUnpooling>(
        name + ".up", deepest ? params_.enc_channels.back() : params_.dec_channels[s + 1], params_.enc_channels[s],
        params_.dec_channels[s], params_.bn_eps, params_.bn_momentum);
    const auto first = rates.begin() + sum({params_.dec_depths.begin(), params_.dec_depths.begin() + int64_t(s)});
    std::vector<double> own(first, first + params_.dec_depths[s]);
    std::reverse(own.begin(), own.end());
    add_blocks(decoder_[s], name, own, params_.dec_channels[s], params_.dec_num_head[s], params_.dec_patch_size[s]);
  }
}

int64_t Ptv3::out_channels() const {
  return params_.dec_channels.empty() ? params_.enc_channels.back() : params_.dec_channels.front();
}

std::vector<int64_t> Ptv3::order_permutation(int64_t draw, const ForwardContext& context, const PointHooks& hooks) const {
  if (hooks.order_permutation) return hooks.order_permutation(draw);
  if (!params_.shuffle_orders) return {};
  return context.random.child("orders", static_cast<uint64_t>(draw)).permutation(int64_t(params_.order.size()));
}

PointLevel Ptv3::embed(const PointInput& input, ForwardContext& context, const PointHooks& hooks) {
  check(input.feat.dim() == 2 && input.feat.size(1) == params_.in_channels, "Ptv3", "feat has a wrong shape: got ",
        to_text(input.feat.sizes().vec()), ", expected [N, ", params_.in_channels, "]");
  check(input.grid_coord.size(0) == input.feat.size(0), "Ptv3", "grid_coord and feat differ in length: got ",
        input.grid_coord.size(0), " and ", input.feat.size(0));
  PointLevel level;
  level.grid_coord = input.grid_coord.contiguous();
  level.coord = input.coord;
  level.seq_offset = input.seq_offset;
  level.batch = batch_from_offset(input.seq_offset);
  {
    TimedScope scope("serialization");
    level.serial = serialize(level.grid_coord, level.batch, serialization_depth(level.grid_coord),
                             curves_from_names(params_.order), order_permutation(0, context, hooks));
  }
  level.feat = at::gelu(stem_norm_.forward(stem_.forward(input.feat, level)));
  level.sparse_feat = level.feat;
  hooks.see("embedding", level.feat);
  return level;
}

void Ptv3::encode(std::vector<PointLevel>& levels, ForwardContext& context, const PointHooks& hooks) {
  for (size_t s = 0; s < encoder_.size(); ++s) {
    if (encoder_[s].down) {
      levels.push_back(encoder_[s].down->forward(levels.back(), order_permutation(int64_t(s), context, hooks)));
      context.descend(levels.back().tokens());
      hooks.see(cat("enc.enc", s, ".down"), levels.back().feat);
      if (hooks.observe_level) hooks.observe_level(int64_t(s), levels.back());
    }
    for (auto& [name, block] : encoder_[s].blocks) block->forward(levels.back(), context, hooks, name);
    hooks.see(cat("enc.enc", s), levels.back().feat);
  }
}

void Ptv3::decode(std::vector<PointLevel>& levels, ForwardContext& context, const PointHooks& hooks) {
  for (size_t s = decoder_.size(); s-- > 0;) {
    PointLevel& parent = levels[s];
    const auto [feat, skip] = decoder_[s].up->forward(levels[s + 1].feat, parent.feat, levels[s + 1].cluster);
    parent.feat = feat;
    parent.sparse_feat = params_.stale_cpe ? skip : feat;
    context.ascend();
    hooks.see(cat("dec.dec", s, ".up"), feat);
    hooks.see(cat("dec.dec", s, ".up.sparse"), skip);
    for (auto& [name, block] : decoder_[s].blocks) block->forward(parent, context, hooks, name);
    hooks.see(cat("dec.dec", s), parent.feat);
  }
}

at::Tensor Ptv3::forward(const PointInput& input, ForwardContext& context, const PointHooks& hooks) {
  std::vector<PointLevel> levels;
  levels.reserve(encoder_.size());
  levels.push_back(embed(input, context, hooks));
  context.start(levels.front().tokens());
  if (hooks.observe_level) hooks.observe_level(0, levels.front());
  encode(levels, context, hooks);
  decode(levels, context, hooks);
  return decoder_.empty() ? levels.back().feat : levels.front().feat;
}

}  // namespace switchyard
