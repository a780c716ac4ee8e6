#pragma once

#include "core/base/params.h"

namespace switchyard {

/// Lists run over stages, encoder from fine to coarse; decoder lists are one shorter, or empty for
/// an encoder alone. `moe`: map from site (attn_out_proj, ffn) to MoEConfig, or one MoEConfig for
/// both. Names as in Pointcept's configs.
struct Ptv3Params {
  int64_t in_channels = 6;
  std::vector<int64_t> stride = {2, 2, 2, 2};
  std::vector<int64_t> enc_depths = {2, 2, 2, 6, 2};
  std::vector<int64_t> enc_channels = {32, 64, 128, 256, 512};
  std::vector<int64_t> enc_num_head = {2, 4, 8, 16, 32};
  std::vector<int64_t> enc_patch_size = {1024, 1024, 1024, 1024, 1024};
  std::vector<int64_t> dec_depths = {2, 2, 2, 2};
  std::vector<int64_t> dec_channels = {64, 64, 128, 256};
  std::vector<int64_t> dec_num_head = {4, 4, 8, 16};
  std::vector<int64_t> dec_patch_size = {1024, 1024, 1024, 1024};
  double mlp_ratio = 4;
  double drop_path = 0.3;
  double bn_momentum = 0.01;
  int64_t stem_kernel = 5;
  bool pre_norm = true;
  bool shuffle_orders = true;
  bool stale_cpe = true;
  std::string backend = "fast";
  std::vector<std::string> orders = {"z", "z-trans", "hilbert", "hilbert-trans"};
  std::string attn_mode = "varlen";
  bool qkv_bias = true;
  std::optional<double> qk_scale;
  bool enable_rpe = false;
  bool upcast_attention = false, upcast_softmax = false;
  bool pdnorm_bn = false, pdnorm_ln = false;
  bool pdnorm_decouple = true, pdnorm_adaptive = false, pdnorm_affine = true;
  ConfigNode moe;

  // Set by the model around the backbone, not by a config: the conditions of prompt-driven norms
  // and the width of their context vectors.
  int64_t conditions = 0, context_channels = 0;

  static void declare(Fields<Ptv3Params>& f);
  /// Errors: lists of unequal length, patch sizes that differ between encoder and decoder, no
  /// curve, prompt-driven norms without conditions or, where adaptive, without context.
  void validate() const;
  /// Channels of the output.
  int64_t out_channels() const {
    return dec_channels.empty() ? enc_channels.back() : dec_channels.front();
  }
  /// Whether the clouds must have a condition, see ForwardContext::condition.
  bool uses_conditions() const { return pdnorm_bn || pdnorm_ln; }
};

}  // namespace switchyard
