#pragma once

#include "core/moe/router.h"

namespace switchyard {

/// Cosine similarity with one prototype per expert (ProMoE, arXiv 2510.24711, section 3.2):
/// logits[t, e] = <x, p> / (max(|x|, 1e-12) max(|p|, 1e-12)), in float at least. Publishes
/// `cluster_centers` [E, C], init N(0, 0.02).
class PrototypeScorer : public Scorer {
 public:
  PrototypeScorer(int64_t channels, int64_t experts);
  at::Tensor forward(const at::Tensor& x_TC, const ForwardContext& context) override;
  at::Tensor prototypes() const override { return centers_EC_; }

 private:
  at::Tensor& centers_EC_;
};

/// Rows of unit length; a row shorter than 1e-12 is divided by that.
at::Tensor unit_rows(const at::Tensor& x);

void register_prototype_scorer();

}  // namespace switchyard
