#pragma once
// Routing as a chain of small stages:
//   logits = hooks(scorer(x));  scores = weigher.scores(logits)
//   selection = selector(scores);  weight = weigher.weights(scores, selection);  losses(...)
// Scores and losses run in float at least (double stays double), autocast or not. Selection carries
// no gradient; the router learns through the weights and the losses. Concrete stages: folder
// routers.

#include "core/base/registry.h"
#include "core/moe/assignment.h"
#include "core/moe/forward_context.h"
#include "core/nn/module.h"

namespace switchyard {

/// x [T, C] -> logits [T, E]. Its published tensors appear below `gate`.
class Scorer : public Module {
 public:
  virtual at::Tensor forward(const at::Tensor& x_TC, const ForwardContext& context) = 0;
};

/// logits [T, E] -> logits [T, E], before selection.
class LogitHook : public Module {
 public:
  virtual at::Tensor forward(const at::Tensor& logits_TE, const ForwardContext& context) = 0;
};

/// Slots of every token, best first. token_offset [T+1], slot_of [A], both i64. `k`: slots per
/// token where all have the same number, else 0.
struct Selection {
  at::Tensor token_offset, slot_of;
  int64_t k = 0;
};

class Selector {
 public:
  virtual ~Selector() = default;
  virtual Selection select(const at::Tensor& scores_TE, const ForwardContext& context) = 0;
  /// Expected slots per token, for dense twins and cost tables.
  virtual double mean_k() const = 0;
};

class Weigher {
 public:
  virtual ~Weigher() = default;
  virtual at::Tensor scores(const at::Tensor& logits_TE) = 0;
  /// [A], differentiable in `scores`.
  virtual at::Tensor weights(const at::Tensor& scores_TE, const Selection& selection) = 0;
};

struct RouterOutput {
  at::Tensor logits_TE, scores_TE;
  Assignment assignment;
};

class RouterLoss {
 public:
  virtual ~RouterLoss() = default;
  virtual std::string name() const = 0;
  /// Scalar, times its coefficient. Called in training only, once per micro-batch and site.
  virtual at::Tensor loss(const RouterOutput& output, const ForwardContext& context,
                          const std::string& site) = 0;
};

// Factories get (channels, experts) or (experts) besides their own parameters.
Registry<Scorer, int64_t, int64_t>& scorers();
Registry<LogitHook, int64_t>& logit_hooks();
Registry<Selector, int64_t>& selectors();
Registry<Weigher>& weighers();
Registry<RouterLoss>& router_losses();

struct RouterParams {
  ConfigNode scorer, selector, weigher;
  std::vector<ConfigNode> hooks, losses;

  RouterParams();
  static void declare(Fields<RouterParams>& f);
};

class Router : public Module {
 public:
  Router(const RouterParams& params, int64_t channels, int64_t experts, std::string site);
  /// x [T, C]. In training the losses go to the context, named "<loss>/<site>".
  RouterOutput forward(const at::Tensor& x_TC, ForwardContext& context);
  double mean_k() const { return selector_->mean_k(); }

 private:
  std::string site_;
  int64_t experts_;
  Scorer* scorer_;
  std::vector<LogitHook*> hooks_;
  std::unique_ptr<Selector> selector_;
  std::unique_ptr<Weigher> weigher_;
  std::vector<std::unique_ptr<RouterLoss>> losses_;
};

}  // namespace switchyard
