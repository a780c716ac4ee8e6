#pragma once

#include "core/base/params.h"

namespace switchyard {

/// DiT and its mixtures; names as in ProMoE's configs.
struct DitParams {
  int64_t input_size = 32;  ///< side of the latent or image
  int64_t patch_size = 2;
  int64_t in_channels = 4;
  int64_t hidden_size = 768;
  int64_t depth = 12;
  int64_t num_heads = 12;
  std::optional<int64_t> head_dim;
  double mlp_ratio = 4;
  bool qk_norm = false;
  bool learn_sigma = true;
  std::optional<int64_t> num_classes = 1000;
  std::optional<int64_t> num_domains = 0;  ///< of a second condition; 0: none
  double class_dropout_prob = 0.1;
  bool interleave = true;
  ConfigNode moe;

  static void declare(Fields<DitParams>& f);
  /// Errors: sizes that do not divide, no number of classes or domains.
  void validate() const;
  int64_t null_label() const { return *num_classes; }
  int64_t null_domain() const { return *num_domains; }
  int64_t out_channels() const { return learn_sigma ? 2 * in_channels : in_channels; }
  int64_t grid() const { return input_size / patch_size; }
  /// Whether block `i` is a mixture: all of them, or every second one.
  bool is_moe(int64_t block) const;
};

}  // namespace switchyard
