#include "domains/point_cloud/model/ptv3.h"

#include <ATen/ops/gelu.h>
#include <ATen/ops/linspace.h>

#include "core/base/text.h"

namespace switchyard {
namespace {

const char* const kSites[] = {"attn_out_proj", "ffn"};

/// The config of one site, or nothing where the site stays dense.
std::optional<ConfigNode> moe_of(const ConfigNode& moe, const char* site) {
  if (moe.is_null()) return {};
  bool by_site = false;
  for (const auto& [key, value] : moe.as_map("model.moe"))
    by_site |= key == kSites[0] || key == kSites[1];
  if (!by_site) return moe;
  for (const auto& [key, value] : moe.as_map("model.moe")) {
    check_name("model.moe", "site", key, {kSites[0], kSites[1]});
  }
  const ConfigNode* node = moe.find(site);
  return node && !node->is_null() ? std::optional(*node) : std::nullopt;
}

std::vector<double> slice(const std::vector<double>& rates, int64_t begin, int64_t n) {
  return {rates.begin() + begin, rates.begin() + begin + n};
}

}  // namespace

std::vector<double> drop_path_rates(double last, int64_t n) {
  const auto rates = at::linspace(0, last, n, at::kFloat);
  const float* values = rates.const_data_ptr<float>();
  return {values, values + n};
}

Ptv3::Ptv3(const Ptv3Params& params, const std::string& site_prefix) : params_(params) {
  params.validate();
  for (const auto& name : params.orders) curves_.push_back(curve_from_name(name));
  attn_moe_ = moe_of(params.moe, kSites[0]);
  ffn_moe_ = moe_of(params.moe, kSites[1]);
  const int64_t width = params.enc_channels[0];
  stem_ = &emplace_child<SubmConv>("embedding.stem.conv", params.in_channels, width,
                                   params.stem_kernel, false, params.backend == "fast");
  stem_norm_ = &emplace_child<PointNorm>("embedding.stem.norm", width,
                                         norm_config(PointNormConfig::Kind::Batch));
  build_encoder(site_prefix);
  if (!params.dec_depths.empty()) build_decoder(site_prefix);
}

PointNormConfig Ptv3::norm_config(PointNormConfig::Kind kind) const {
  const auto& p = params_;
  const bool batch = kind == PointNormConfig::Kind::Batch;
  auto config = batch ? PointNormConfig{} : PointNormConfig::layer();
  if (batch) config.momentum = p.bn_momentum;
  if (batch ? p.pdnorm_bn : p.pdnorm_ln) {
    config.prompt = PromptNormConfig{p.conditions, p.pdnorm_decouple, p.pdnorm_adaptive,
                                     p.pdnorm_affine, p.context_channels};
  }
  return config;
}

AttentionConfig Ptv3::attention_config(int64_t channels, int64_t heads, int64_t patch_size) const {
  const auto& p = params_;
  return {channels,        heads,      patch_size,   patch_mode_from_name(p.attn_mode),
          p.qkv_bias,      p.qk_scale, p.enable_rpe, p.upcast_attention,
          p.upcast_softmax};
}

std::vector<PointBlock*> Ptv3::add_blocks(const std::string& stage, PointBlockConfig config,
                                          const std::vector<double>& rates,
                                          const std::string& site_prefix) {
  std::vector<PointBlock*> blocks;
  config.mlp_ratio = params_.mlp_ratio;
  config.pre_norm = params_.pre_norm;
  config.fast_conv = params_.backend == "fast";
  config.norm = norm_config(PointNormConfig::Kind::Layer);
  config.attn_out_proj = attn_moe_;
  config.ffn = ffn_moe_;
  for (size_t i = 0; i < rates.size(); ++i) {
    config.drop_path = rates[i];
    config.order_row = static_cast<int64_t>(i % curves_.size());
    const std::string name = stage + ".block" + std::to_string(i);
    blocks.push_back(&emplace_child<PointBlock>(name, config, site_prefix + name));
  }
  return blocks;
}

void Ptv3::build_encoder(const std::string& site_prefix) {
  const auto& p = params_;
  const auto total = std::accumulate(p.enc_depths.begin(), p.enc_depths.end(), int64_t{0});
  const auto rates = drop_path_rates(p.drop_path, total);
  int64_t first = 0;
  for (size_t s = 0; s < p.enc_depths.size(); ++s) {
    const std::string stage = "enc.enc" + std::to_string(s);
    EncoderStage& added = encoder_.emplace_back();
    if (s > 0) {
      added.down = &emplace_child<SerializedPooling>(
          stage + ".down", p.enc_channels[s - 1], p.enc_channels[s], p.stride[s - 1],
          Reduction::Max, norm_config(PointNormConfig::Kind::Batch));
    }
    PointBlockConfig config;
    config.attention = attention_config(p.enc_channels[s], p.enc_num_head[s], p.enc_patch_size[s]);
    added.blocks = add_blocks(stage, config, slice(rates, first, p.enc_depths[s]), site_prefix);
    first += p.enc_depths[s];
  }
}

void Ptv3::build_decoder(const std::string& site_prefix) {
  const auto& p = params_;
  const auto total = std::accumulate(p.dec_depths.begin(), p.dec_depths.end(), int64_t{0});
  const auto rates = drop_path_rates(p.drop_path, total);
  decoder_.resize(p.dec_depths.size());
  for (size_t s = p.dec_depths.size(); s-- > 0;) {
    const std::string stage = "dec.dec" + std::to_string(s);
    const bool coarsest = s + 1 == p.dec_depths.size();
    const int64_t below = coarsest ? p.enc_channels.back() : p.dec_channels[s + 1];
    decoder_[s].up = &emplace_child<SerializedUnpooling>(stage + ".up", below, p.enc_channels[s],
                                                         p.dec_channels[s],
                                                         norm_config(PointNormConfig::Kind::Batch));
    const auto first = std::accumulate(p.dec_depths.begin(),
                                       p.dec_depths.begin() + static_cast<int64_t>(s), int64_t{0});
    auto part = slice(rates, first, p.dec_depths[s]);
    std::reverse(part.begin(), part.end());
    PointBlockConfig config;
    config.attention = attention_config(p.dec_channels[s], p.dec_num_head[s], p.dec_patch_size[s]);
    decoder_[s].blocks = add_blocks(stage, config, part, site_prefix);
  }
}

std::vector<int64_t> Ptv3::order_rows(size_t step, const PointHooks& hooks,
                                      const ForwardContext& context) const {
  if (!hooks.order_rows.empty()) {
    check(step < hooks.order_rows.size(), "ptv3", "given order permutations: got ",
          hooks.order_rows.size(), ", expected ", encoder_.size());
    return hooks.order_rows[step];
  }
  if (!params_.shuffle_orders) return {};
  return context.random.child("order_rows", step).permutation(static_cast<int64_t>(curves_.size()));
}

void Ptv3::encode(PointState& state, std::vector<PointState>& skips, Ptv3Output& out,
                  const PointHooks& hooks, ForwardContext& context) {
  for (size_t s = 0; s < encoder_.size(); ++s) {
    const std::string stage = "enc.enc" + std::to_string(s);
    if (encoder_[s].down) {
      skips.push_back(state);
      out.clusters.push_back(
          encoder_[s].down->forward(state, order_rows(s, hooks, context), context));
      out.levels.push_back(state.level);
      hooks.see(stage + ".down", state.feat_NC);
    }
    for (size_t i = 0; i < encoder_[s].blocks.size(); ++i) {
      encoder_[s].blocks[i]->forward(state, hooks, context);
      hooks.see(stage + ".block" + std::to_string(i), state.feat_NC);
    }
  }
}

void Ptv3::decode(PointState& state, const std::vector<PointState>& skips, const Ptv3Output& out,
                  const PointHooks& hooks, ForwardContext& context) {
  for (size_t s = decoder_.size(); s-- > 0;) {
    const std::string stage = "dec.dec" + std::to_string(s);
    const auto sum = decoder_[s].up->forward({state.feat_NC, state.level->offset()},
                                             {skips[s].feat_NC, skips[s].level->offset()},
                                             out.clusters[s], context);
    context.ascend();
    state = {skips[s].level, sum.feat_NC, params_.stale_cpe ? sum.skip_NC : at::Tensor()};
    hooks.see(stage + ".up", state.feat_NC);
    hooks.see(stage + ".up.sparse", params_.stale_cpe ? sum.skip_NC : sum.feat_NC);
    for (size_t i = 0; i < decoder_[s].blocks.size(); ++i) {
      decoder_[s].blocks[i]->forward(state, hooks, context);
      hooks.see(stage + ".block" + std::to_string(i), state.feat_NC);
    }
  }
}

Ptv3Output Ptv3::forward(const PointInput& input, ForwardContext& context,
                         const PointHooks& hooks) {
  check(input.feat_NC.dim() == 2 && input.feat_NC.size(1) == params_.in_channels &&
            input.feat_NC.size(0) == input.grid_N3.size(0),
        "ptv3", "features: got ", to_text(input.feat_NC.sizes().vec()), ", expected [",
        input.grid_N3.size(0), ", ", params_.in_channels, "]");
  PointState state;
  state.level = std::make_shared<PointLevel>(input.grid_N3, input.coord_N3, input.offset, curves_,
                                             order_rows(0, hooks, context));
  context.start(state.level->tokens({}));
  Ptv3Output out{{}, {state.level}, {}};
  const auto stem = stem_->forward(input.feat_NC, state.level->neighbors(params_.stem_kernel));
  state.feat_NC = at::gelu(stem_norm_->forward(stem, state.level->offset(), context));
  hooks.see("embedding", state.feat_NC);
  std::vector<PointState> skips;
  encode(state, skips, out, hooks, context);
  decode(state, skips, out, hooks, context);
  out.feat_NC = state.feat_NC;
  return out;
}

}  // namespace switchyard
