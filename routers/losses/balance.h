#pragma once

#include "core/moe/router.h"

namespace switchyard {

/// Share of a token's assignments meets mean probability: E * sum over experts of
/// mean_t p[t, e] * count[e] / sum(count). `count` [E] carries no gradient. Scalar; without
/// coefficient. 0 when nothing was counted.
at::Tensor balance_term(const at::Tensor& scores_TE, const at::Tensor& count_E);

/// alpha * balance_term with the counts of one scope; the probabilities are always this
/// micro-batch's:
///   sequence      every sequence alone, then the mean over sequences with tokens
///   micro         this micro-batch (Point-MoE, Switch)
///   accumulation  this rank's micro-batches of the optimizer step so far; needs context.balance
///   global        those of all ranks; in a program without a process group, the only rank, this is
///                 `accumulation` to the bit
/// The last two approach the counts of the whole step and reach them at its last micro-batch
/// (Qiu et al. 2025, section 3; counts known only afterwards would need a second forward pass).
/// Choices count before any cut. Null slots count as experts do, E includes them (UniMoE-Audio);
/// with `mean_null` each by the mean count of all of them, so that only their whole load is
/// controlled (AdaMoE, arXiv 2406.13233, eq. 6). Tokens that are not `valid`, or that a selection
/// hook took from the router, count for nothing. `of_softmax`: the softmax of the scores stands for
/// the probabilities.
class BalanceLoss : public RouterLoss {
 public:
  enum class Scope { Sequence, Micro, Accumulation, Global };
  BalanceLoss(double alpha, Scope scope, bool of_softmax = false, bool mean_null = false)
      : alpha_(alpha), scope_(scope), of_softmax_(of_softmax), mean_null_(mean_null) {}
  std::string name() const override { return "balance"; }
  at::Tensor loss(const RouterOutput& output, const ForwardContext& context,
                  const std::string& site) override;

 private:
  double alpha_;
  Scope scope_;
  bool of_softmax_, mean_null_;
};

void register_balance_loss();

}  // namespace switchyard
