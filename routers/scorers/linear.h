#pragma once

#include "core/moe/router.h"

namespace switchyard {

/// logits = x W^T in float at least. Publishes `weight` [E, C] (no bias) under the name of the
/// parameters and, where they say so, the buffer `score_accumulator` [E] of Point-MoE, which stays
/// zero. Init U(-1/sqrt C, 1/sqrt C), or normal with `init_std`.
class LinearScorer : public Scorer {
 public:
  struct Params {
    std::string weight = "weight";
    bool accumulator = true;
    std::optional<double> init_std;
    static void declare(Fields<Params>& f);
  };
  LinearScorer(const Params& params, int64_t channels, int64_t experts);
  at::Tensor forward(const at::Tensor& x_TC, const ForwardContext& context) override;

 private:
  at::Tensor& weight_EC_;
};

void register_linear_scorer();

}  // namespace switchyard
