#pragma once

#include "core/base/params.h"

namespace switchyard {

/// Every group norm of a VAE.
struct VaeNorm {
  int64_t groups = 32;
  double eps = 1e-6;
};

/// AutoencoderKL; names as in diffusers' config.json.
struct VaeParams {
  int64_t in_channels = 3;
  int64_t out_channels = 3;
  int64_t latent_channels = 4;
  std::vector<int64_t> block_out_channels = {128, 256, 512, 512};
  int64_t layers_per_block = 2;
  int64_t norm_num_groups = 32;
  double norm_eps = 1e-6;
  bool use_quant_conv = true;
  bool mid_block_attention = true;
  double scaling_factor = 0.18215;

  static void declare(Fields<VaeParams>& f);
  /// Errors: no level, widths that the groups do not divide.
  void validate() const;
  VaeNorm norm() const { return {norm_num_groups, norm_eps}; }
  int64_t levels() const { return static_cast<int64_t>(block_out_channels.size()); }
  /// Side of an image / side of its latent.
  int64_t factor() const { return int64_t{1} << (levels() - 1); }
};

}  // namespace switchyard
