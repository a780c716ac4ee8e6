#pragma once
// How a router carries out one rule of a RoutingOverride.

#include "core/moe/router.h"
#include "core/moe/routing_override.h"

namespace switchyard {

/// A rule at one site and pass.
class AppliedRule {
 public:
  /// Errors: an expert or a length that does not fit `experts`.
  AppliedRule(const RoutingRule& rule, const std::string& site, int64_t tokens, int64_t experts,
              const ForwardContext& context);

  at::Tensor logits(const at::Tensor& logits_TE) const;
  /// `scores` are those of the changed logits.
  Selection selection(const Selection& own, const at::Tensor& scores_TE) const;
  /// To be asked when all rules have worked. Errors: `drop` left fewer experts than were chosen.
  void check_dropped(const Selection& selection) const;
  /// [A]
  at::Tensor weights(const at::Tensor& weight_A, const Selection& selection) const;

 private:
  Selection choose(const at::Tensor& scores_TE) const;
  /// Value of every entry out of [E] or [T, E].
  at::Tensor at_entries(const at::Tensor& value, const Selection& selection) const;

  const RoutingRule& rule_;
  const std::string& site_;
  int64_t tokens_, experts_;
  const ForwardContext& context_;
  at::Tensor here_T_;  // bool; undefined: all tokens
};

/// The rules of the pass that name this site, in order.
std::vector<AppliedRule> rules_at(const std::string& site, int64_t tokens, int64_t experts,
                                  const ForwardContext& context);

}  // namespace switchyard
