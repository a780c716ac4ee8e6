#pragma once
// Routing as a chain of small stages:
//   groups = granularity(tokens);  x = mean over each group, where tokens share a decision
//   logits = hooks(scorer(x));  scores = weigher.scores(logits)
//   selection = selector(scores), without what selection hooks cut
//   weight = weigher.weights(scores, selection)
//   selection hooks change both for some tokens, and may add slots of their own
//   every token gets its group's decision;  losses(...)
// Scores and losses run in float at least (double stays double), autocast or not. Selection carries
// no gradient; the router learns through the weights and the losses, which see tokens: a group
// counts by its tokens. A ForwardContext's routing_override changes logits, selection and weights.
// Null slots stand behind the experts in the logits and scores: they compete, and balance losses
// and traces count them, but their output is zero and the assignment has no entries for them.
// Where selector and weigher amount to one rule and nothing changes the selection, a GPU runs them
// and the placement as one op; the stages are its reference. Concrete stages: folder routers.

#include "core/base/registry.h"
#include "core/kernels/route_top_p.h"
#include "core/moe/assignment.h"
#include "core/moe/forward_context.h"
#include "core/moe/selection.h"
#include "core/moe/site_info.h"
#include "core/nn/module.h"

namespace switchyard {

/// Which tokens share one decision.
class Granularity {
 public:
  virtual ~Granularity() = default;
  /// The groups of `tokens` tokens as a coarser level: `member_of` [T] names the group of every
  /// token, `seq_offset` counts groups. Nothing: every token decides alone.
  virtual std::optional<TokenLevel> groups(int64_t tokens, const ForwardContext& context) const = 0;
  /// True where no token's decision depends on a later token of its sequence.
  virtual bool causal() const = 0;
  /// True where groups() never gives any.
  virtual bool alone() const { return false; }
};

/// x [T, C] -> logits [T, E]. Its published tensors appear below `gate`.
class Scorer : public Module {
 public:
  /// Fields of ForwardContext that the scorer reads besides x: "domain_id", "task_id", "cond".
  virtual std::vector<std::string> reads() const { return {}; }
  virtual at::Tensor forward(const at::Tensor& x_TC, const ForwardContext& context) = 0;
  /// [E, C] one vector per expert in the space of x, where the scorer compares with such; else
  /// undefined.
  virtual at::Tensor prototypes() const { return {}; }
};

/// logits [T, E] -> logits [T, E], before selection.
class LogitHook : public Module {
 public:
  virtual at::Tensor forward(const at::Tensor& logits_TE, const ForwardContext& context) = 0;
};

/// What a selector sees, without gradient.
struct SelectorInput {
  at::Tensor x_TC, scores_TE;
};

/// Its published tensors, if any, appear beside the router's.
class Selector : public Module {
 public:
  virtual Selection select(const SelectorInput& input, const ForwardContext& context) = 0;
  /// Loss of the last selection in training, times its coefficient; undefined: none.
  virtual at::Tensor loss() { return {}; }
  /// Expected slots per token, for dense twins and cost tables.
  virtual double mean_k() const = 0;
  /// The k, where a token's slots are its k best scores, or fewer where those sum to best_p(), and
  /// nothing else matters; 0: they are not.
  virtual int64_t best_k() const { return 0; }
  /// From 1 on always k.
  virtual double best_p() const { return 1; }
  /// False where a token's slots depend on other tokens.
  virtual bool causal() const { return true; }
};

class Weigher {
 public:
  virtual ~Weigher() = default;
  virtual at::Tensor scores(const at::Tensor& logits_TE, const ForwardContext& context) = 0;
  /// [A], differentiable in `scores`.
  virtual at::Tensor weights(const at::Tensor& scores_TE, const Selection& selection) = 0;
  /// The same for the k best slots of a token as one rule; nothing: there is none.
  virtual std::optional<TopPRule> rule(int64_t /*k*/) const { return {}; }
};

/// What a selection hook may cut from, without gradient.
struct ChoiceInput {
  Selection selection;
  at::Tensor logits_TE, scores_TE;
  at::Tensor open_T;  ///< [T] bool: valid tokens that the router decides; undefined: all
};

/// Changes the decision of some tokens once it is made.
class SelectionHook {
 public:
  virtual ~SelectionHook() = default;
  /// Slots behind those of the router that the hook assigns.
  virtual int64_t extra_slots() const { return 0; }
  /// Fields of ForwardContext that the hook reads.
  virtual std::vector<std::string> reads() const { return {}; }
  /// [S] bool: the sequences whose tokens it leaves to the router; undefined: all.
  virtual at::Tensor routed(const ForwardContext& /*context*/) const { return {}; }
  /// True where all other tokens have the hook's first own slot alone, with weight 1, and it has no
  /// further slot.
  virtual bool forces_slot() const { return false; }
  /// `first_slot`: number of its first own slot. `weight_A` keeps its gradient.
  virtual void apply(Selection& /*selection*/, at::Tensor& /*weight_A*/, int64_t /*first_slot*/,
                     const ForwardContext& /*context*/) const {}
  /// True where it cuts choices before they are weighed; needs tokens that decide alone.
  virtual bool cuts() const { return false; }
  /// [A] bool: the entries that stay; null choices are among them.
  virtual at::Tensor kept(const ChoiceInput& /*input*/) const { return {}; }
  /// False where a token's slots depend on other tokens.
  virtual bool causal() const { return true; }
};

struct RouterOutput {
  at::Tensor logits_TE;
  at::Tensor scores_TE;      ///< on a GPU undefined where no loss and no trace reads them
  Assignment assignment;     ///< over all slots, those of selection hooks behind the experts
  at::Tensor x_TC;           ///< what was routed
  at::Tensor prototypes_EC;  ///< of the scorer; may be undefined
  at::Tensor routed_T;  ///< [T] bool, in training: tokens that the router decided; undefined: all
  /// [T, K] integers: what every token chose, best first, before any cut and with null slots, which
  /// are the last `null_slots` columns of the scores; -1: nothing. Undefined: the assignment's
  /// entries are all choices.
  at::Tensor chosen_TK = {};
  int64_t null_slots = 0;
};

class RouterLoss {
 public:
  virtual ~RouterLoss() = default;
  virtual std::string name() const = 0;
  /// Scalar, times its coefficient. Called in training only, once per micro-batch and site.
  virtual at::Tensor loss(const RouterOutput& output, const ForwardContext& context,
                          const std::string& site) = 0;
};

Registry<Granularity>& granularities();
// Factories of scorers and selectors get (channels, experts), those of logit hooks (experts),
// besides their own parameters.
Registry<Scorer, int64_t, int64_t>& scorers();
Registry<LogitHook, int64_t>& logit_hooks();
Registry<Selector, int64_t, int64_t>& selectors();
Registry<Weigher>& weighers();
Registry<SelectionHook>& selection_hooks();
Registry<RouterLoss>& router_losses();

/// Slots whose output is zero (AdaMoE, arXiv 2406.13233; arXiv 2510.13344, Top-P with a null
/// expert).
struct NullSlotParams {
  int64_t count = 0;
  bool keep_share = true;
  static void declare(Fields<NullSlotParams>& f);
  /// Of a token's slots, where all are equally likely.
  double routed_share(int64_t experts) const {
    return static_cast<double>(experts) / static_cast<double>(experts + count);
  }
};

struct RouterParams {
  ConfigNode granularity, scorer, selector, weigher;
  NullSlotParams null_slots;
  std::vector<ConfigNode> hooks, selection_hooks, losses;

  RouterParams();
  static void declare(Fields<RouterParams>& f);
};

class Router : public Module {
 public:
  Router(const RouterParams& params, int64_t channels, int64_t experts, std::string site);
  /// x [T, C]. In training the losses go to the context, named "<loss>/<site>".
  RouterOutput forward(const at::Tensor& x_TC, ForwardContext& context);
  /// Where one op can decide for x (see route_top_p): its distance from the stages, routing_gap().
  std::optional<double> op_error(const at::Tensor& x_TC, ForwardContext& context) const;
  /// Expected experts per token: null slots take their share of the selector's.
  double mean_k() const;
  /// Experts and the extra slots of the selection hooks; no null slots.
  int64_t slots() const;
  /// Fills in what the router decides.
  void describe(SiteInfo& info) const;

 private:
  /// Logits, scores, selection and weight [A] of every row of x.
  struct Decision {
    at::Tensor logits_TE, scores_TE;
    Selection selection;
    at::Tensor weight_A, chosen_TK;
    /// Row t of the result is row row_T[t].
    Decision take(const at::Tensor& row_T) const;
  };
  void apply_hooks(Decision& decision, const ForwardContext& context) const;
  /// Cuts the selection of the decision and weighs what is left.
  void weigh(Decision& decision, const ForwardContext& context) const;
  /// [A] bool: the entries that all hooks leave; undefined: none cuts.
  at::Tensor kept_entries(const Decision& decision, const ForwardContext& context) const;
  /// [T] bool: the tokens left to the router; undefined: all.
  at::Tensor routed_tokens(int64_t tokens, const ForwardContext& context) const;
  Decision decide(const at::Tensor& x_TC, const ForwardContext& context) const;
  /// What one op can do of it, where the stages allow that: see route_top_p().
  std::optional<TopPRule> one_rule() const;
  /// The same, nothing where the pass changes the routing.
  std::optional<TopPRule> one_rule(const at::Tensor& x_TC, const ForwardContext& context) const;
  RouterOutput route_at_once(const at::Tensor& x_TC, const TopPRule& rule,
                             const ForwardContext& context) const;
  RouterOutput route_by_stages(const at::Tensor& x_TC, ForwardContext& context) const;
  Decision decide_by_group(const at::Tensor& x_TC, ForwardContext& context) const;

  std::string site_;
  RouterParams params_;
  int64_t experts_, columns_;  // experts; experts and null slots
  std::unique_ptr<Granularity> granularity_;
  Scorer* scorer_;
  std::vector<LogitHook*> hooks_;
  Selector* selector_;
  std::unique_ptr<Weigher> weigher_;
  std::vector<std::unique_ptr<SelectionHook>> selection_hooks_;
  std::vector<std::unique_ptr<RouterLoss>> losses_;
};

}  // namespace switchyard
