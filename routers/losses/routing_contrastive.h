#pragma once

#include "core/moe/router.h"

namespace switchyard {

/// Means of the tokens of every expert, in G groups of tokens.
struct ExpertMeans {
  at::Tensor mean_GEC, count_GE;
};

/// Mean over the groups' experts with tokens of -log softmax_j(cos(p_i, m_j) / temperature)[i],
/// i and j over those of one group: prototypes against the means of their tokens. prototypes
/// [E, C]. 0, without gradient, where no group has two of them. Scalar.
at::Tensor contrast(const at::Tensor& prototypes_EC, const ExpertMeans& means, double temperature);

/// ProMoE's routing contrastive loss (arXiv 2510.24711, section 3.3) times `lambda`. Groups: the
/// whole micro-batch (token choice), or every sequence (expert choice). `all_slots` false: a token
/// counts for its best slot alone. Needs a scorer with prototypes.
class RoutingContrastiveLoss : public RouterLoss {
 public:
  struct Params {
    double lambda = 1, temperature = 0.07;
    bool all_slots = true;
    std::string scope = "batch";
    static void declare(Fields<Params>& f);
  };
  explicit RoutingContrastiveLoss(const Params& params) : params_(params) {}
  std::string name() const override { return "contrastive"; }
  /// Errors: the scorer has no prototypes.
  at::Tensor loss(const RouterOutput& output, const ForwardContext& context,
                  const std::string& site) override;

 private:
  Params params_;
};

void register_routing_contrastive_loss();

}  // namespace switchyard
