#include "domains/diffusion/model/dit.h"

#include "core/base/text.h"
#include "core/moe/layer.h"

namespace switchyard {
namespace {

constexpr char kSite[] = "mlp";

/// The MoEConfig of the one site.
ConfigNode moe_of(const ConfigNode& moe) {
  if (moe.is_null() || moe.find("experts")) return moe;
  for (const auto& [site, node] : moe.as_map("model.moe"))
    check_name("model.moe", "site", site, {kSite});
  const ConfigNode* node = moe.find(kSite);
  return node ? *node : ConfigNode();
}

DitParams with_site(DitParams params) {
  params.validate();
  params.moe = moe_of(params.moe);
  return params;
}

at::Tensor draw_dropped(int64_t batch, double probability, RandomStream stream) {
  at::Tensor drop = at::empty({batch}, at::kBool);
  for (int64_t i = 0; i < batch; ++i) drop.mutable_data_ptr<bool>()[i] = stream.chance(probability);
  return drop;
}

}  // namespace

Dit::Dit(const DitParams& params)
    : params_(with_site(params)),
      position_(add_buffer(
          "pos_embed",
          position_table(params_.hidden_size, params_.grid()).to(at::kFloat).unsqueeze(0))) {
  const auto& p = params_;
  x_embedder_ =
      &emplace_child<PatchEmbed>("x_embedder", p.in_channels, p.patch_size, p.hidden_size);
  t_embedder_ = &emplace_child<TimestepEmbedder>("t_embedder", p.hidden_size);
  y_embedder_ = &emplace_child<LabelEmbedder>("y_embedder", *p.num_classes, p.hidden_size);
  if (*p.num_domains > 0)
    domain_embedder_ =
        &emplace_child<LabelEmbedder>("domain_embedder", *p.num_domains, p.hidden_size);
  for (int64_t i = 0; i < p.depth; ++i) {
    const std::string name = "blocks." + to_text(i), site = name + ".mlp";
    auto mlp = p.is_moe(i) ? make_moe_layer(parse_params<MoEConfig>(p.moe, "model.moe"),
                                            p.hidden_size, p.hidden_size, site)
                           : make_dit_mlp(p, site);
    blocks_.push_back(&emplace_child<DitBlock>(name, p, std::move(mlp), name));
  }
  final_layer_ =
      &emplace_child<DitFinalLayer>("final_layer", p.hidden_size, p.patch_size, p.out_channels());
}

void Dit::start(int64_t batch, const at::Tensor& y_B, ForwardContext& context) const {
  const int64_t tokens = params_.grid() * params_.grid();
  const auto device = position_.device();
  const auto options = at::TensorOptions(at::kLong).device(device);
  context.start({at::arange(0, (batch + 1) * tokens, tokens, options),
                 at::arange(batch * tokens, options),
                 token_places(params_.grid()).to(device).repeat({batch, 1}),
                 {},
                 {}});
  context.cond_mask = y_B.to(device) != params_.null_label();
}

void Dit::drop_conditions(DitInput& input, const RandomStream& random) const {
  const int64_t batch = input.x.size(0);
  const auto all = draw_dropped(batch, params_.class_dropout_prob, random.child("label_dropout"));
  input.y = y_embedder_->dropped(input.y, all);
  if (!domain_embedder_) return;
  const auto alone =
      draw_dropped(batch, params_.class_dropout_prob, random.child("domain_dropout"));
  input.domain = domain_embedder_->dropped(input.domain, all.logical_or(alone));
}

at::Tensor Dit::condition(const DitInput& input) const {
  const auto c = t_embedder_->forward(input.t) + y_embedder_->forward(input.y);
  return domain_embedder_ ? c + domain_embedder_->forward(input.domain) : c;
}

at::Tensor Dit::forward(const DitInput& given, ForwardContext& context,
                        const DitObserver& observe) {
  DitInput input = given;
  const int64_t batch = input.x.size(0), side = params_.input_size;
  check(input.x.dim() == 4 && input.x.size(2) == side && input.x.size(3) == side, "dit",
        "image: got ", to_text(input.x.sizes().vec()), ", expected [B, ", params_.in_channels, ", ",
        side, ", ", side, "]");
  check(input.t.numel() == batch && input.y.numel() == batch, "dit", "got ", input.t.numel(),
        " times and ", input.y.numel(), " labels, expected ", batch);
  check(!domain_embedder_ || (input.domain.defined() && input.domain.numel() == batch), "dit",
        "the model has a domain condition: expected ", batch, " domains");
  if (training() && context.training && params_.class_dropout_prob > 0)
    drop_conditions(input, context.random);
  start(batch, input.y, context);
  ResidualStream h{x_embedder_->forward(input.x) + position_};
  const auto c = condition(input);
  if (observe) {
    observe("tokens", h.x_BNC);
    observe("cond", c);
  }
  for (const DitBlock* block : blocks_) h = block->forward(h, c, context, observe);
  return unpatchify(final_layer_->forward(h, c), params_.patch_size);
}

}  // namespace switchyard
