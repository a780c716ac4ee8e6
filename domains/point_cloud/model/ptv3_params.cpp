#include "domains/point_cloud/model/ptv3_params.h"

#include "core/base/text.h"
#include "domains/point_cloud/model/patches.h"
#include "domains/point_cloud/model/serialization.h"

namespace switchyard {
namespace {

void check_length(const char* name, const std::vector<int64_t>& list, size_t n) {
  check(list.size() == n, cat("model.", name), "length: got ", list.size(), ", expected ", n);
}

void check_prompts(const Ptv3Params& p) {
  if (!p.uses_conditions()) return;
  check(p.conditions >= 1, "model.conditions",
        "got an empty list, expected a name per prompt-driven norm");
  check(!p.pdnorm_adaptive || p.context_channels >= 1, "model.context_channels", "got ",
        p.context_channels, ", expected at least 1: pdnorm_adaptive reads context vectors");
}

}  // namespace

void Ptv3Params::validate() const {
  const size_t stages = enc_depths.size();
  check(stages >= 1, "model.enc_depths", "got no stage, expected at least one");
  check_length("stride", stride, stages - 1);
  check_length("enc_channels", enc_channels, stages);
  check_length("enc_num_head", enc_num_head, stages);
  check_length("enc_patch_size", enc_patch_size, stages);
  const size_t ups = dec_depths.empty() ? 0 : stages - 1;
  check_length("dec_depths", dec_depths, ups);
  check_length("dec_channels", dec_channels, ups);
  check_length("dec_num_head", dec_num_head, ups);
  check_length("dec_patch_size", dec_patch_size, ups);
  for (size_t s = 0; s < ups; ++s) {
    check(dec_patch_size[s] == enc_patch_size[s], "model.dec_patch_size", "stage ", s, ": got ",
          dec_patch_size[s], ", expected the encoder's ", enc_patch_size[s]);
  }
  check_prompts(*this);
  check(!orders.empty(), "model.orders", "got an empty list; valid: ", join(curve_names()));
}

void Ptv3Params::declare(Fields<Ptv3Params>& f) {
  f.add("in_channels", &Ptv3Params::in_channels, "input features per voxel", at_least(1));
  f.add("stride", &Ptv3Params::stride, "pooling stride between stages, powers of two", at_least(1));
  f.add("enc_depths", &Ptv3Params::enc_depths, "encoder blocks per stage", at_least(0));
  f.add("enc_channels", &Ptv3Params::enc_channels, "encoder channels per stage", at_least(1));
  f.add("enc_num_head", &Ptv3Params::enc_num_head, "encoder heads per stage", at_least(1));
  f.add("enc_patch_size", &Ptv3Params::enc_patch_size, "points per attention patch", at_least(1));
  f.add("dec_depths", &Ptv3Params::dec_depths, "decoder blocks per stage; empty: encoder alone",
        at_least(0));
  f.add("dec_channels", &Ptv3Params::dec_channels, "decoder channels per stage", at_least(1));
  f.add("dec_num_head", &Ptv3Params::dec_num_head, "decoder heads per stage", at_least(1));
  f.add("dec_patch_size", &Ptv3Params::dec_patch_size, "must equal the encoder's", at_least(1));
  f.add("mlp_ratio", &Ptv3Params::mlp_ratio, "hidden width of the MLP over its channels",
        at_least(0));
  f.add("drop_path", &Ptv3Params::drop_path, "rate of the last block, rising from 0",
        between(0, 0.999));
  f.add("bn_momentum", &Ptv3Params::bn_momentum, "momentum of the running statistics",
        between(0, 1));
  f.add("stem_kernel", &Ptv3Params::stem_kernel, "kernel size of the stem, odd", at_least(1));
  f.add("pre_norm", &Ptv3Params::pre_norm,
        "norms before the branches (published) or after the sums");
  f.add("shuffle_orders", &Ptv3Params::shuffle_orders,
        "permute the curves at the input and every pooling");
  f.add("backend", &Ptv3Params::backend, "of the convolutions; MoE sites have their own",
        Choices{{"fast", "reference"}});
  f.add("stale_cpe", &Ptv3Params::stale_cpe,
        "first decoder CPE reads the skip branch alone (published)");
  f.add("orders", &Ptv3Params::orders, "curves, used in turn by the blocks of a stage");
  f.add("attn_mode", &Ptv3Params::attn_mode, "patches per cloud or one size for the batch",
        Choices{patch_mode_names()});
  f.add("qkv_bias", &Ptv3Params::qkv_bias, "bias of the query, key and value map");
  f.add("qk_scale", &Ptv3Params::qk_scale, "factor of q k^T; null: (channels / heads)^-0.5");
  f.add("enable_rpe", &Ptv3Params::enable_rpe, "relative position bias in the attention");
  f.add("upcast_attention", &Ptv3Params::upcast_attention, "attention scores in float");
  f.add("upcast_softmax", &Ptv3Params::upcast_softmax, "softmax of the attention in float");
  f.add("pdnorm_bn", &Ptv3Params::pdnorm_bn, "prompt-driven batch norms (PPT)");
  f.add("pdnorm_ln", &Ptv3Params::pdnorm_ln, "prompt-driven layer norms (PPT)");
  f.add("pdnorm_decouple", &Ptv3Params::pdnorm_decouple, "one norm per condition");
  f.add("pdnorm_adaptive", &Ptv3Params::pdnorm_adaptive,
        "shift and scale from the condition's context vector");
  f.add("pdnorm_affine", &Ptv3Params::pdnorm_affine, "weight and bias of prompt-driven norms");
  f.add("moe", &Ptv3Params::moe,
        "map from site (attn_out_proj, ffn) to an MoE, or one MoE for both");
}

}  // namespace switchyard
