#pragma once
// Which way expert_mlp() computes the experts, and why: the rule of ExpertPath::Auto.

#include <string>

#include "core/kernels/expert_mlp.h"

namespace switchyard {

/// What the choice depends on. Widths are those of x, of the hidden activation (0: the experts are
/// one linear map) and of the output;
/// `rows` is the mean number of entries of an expert, `warpgroups` whether the GPU has warpgroup
/// products (compute capability 9.0).
struct ExpertSetting {
  at::DeviceType device;
  at::ScalarType type;
  int64_t experts, channels, hidden, out;
  Activation activation;
  bool gated;
  int64_t rows;
  bool warpgroups;
};
ExpertSetting expert_setting(const at::Tensor& x_TC, const ExpertWeights& experts,
                             const Assignment& assignment, Activation activation);

struct ExpertChoice {
  ExpertPath path;   ///< never Auto
  std::string name;  ///< fused, grouped, blocked, or loop: grouped, but a product per expert
  std::string why;
};
ExpertChoice expert_path_of(const ExpertSetting& setting);

}  // namespace switchyard
