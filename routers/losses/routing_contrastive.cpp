#include "routers/losses/routing_contrastive.h"

#include <ATen/ops/diff.h>
#include <ATen/ops/log_softmax.h>

#include "core/moe/precision.h"
#include "core/moe/token_groups.h"
#include "routers/scorers/prototype.h"

namespace switchyard {
namespace {

/// Tokens and slots of the entries that count.
struct Entries {
  at::Tensor token_A, slot_A;
};

Entries entries_of(const RouterOutput& output, bool all_slots) {
  const Assignment& a = output.assignment;
  const Selection selection{a.token_offset, a.slot_of, 0};
  auto token_A = token_of_entry(selection), slot_A = a.slot_of;
  auto kept_A = slot_A < output.logits_TE.size(1);  // no slot of a selection hook
  if (!all_slots) {
    const auto first_A = a.token_offset.index_select(0, token_A);
    kept_A = kept_A & (at::arange(a.entries(), slot_A.options()) == first_A);
  }
  const auto index = kept_A.nonzero().select(1, 0);
  return {token_A.index_select(0, index), slot_A.index_select(0, index)};
}

ExpertMeans means_of(const at::Tensor& x_TC, const at::Tensor& group_T, int64_t groups,
                     int64_t experts, const Entries& entries) {
  const auto cell_A = group_T.index_select(0, entries.token_A) * experts + entries.slot_A;
  const auto x_AC = x_TC.index_select(0, entries.token_A);
  const int64_t cells = groups * experts;
  const auto sum = at::zeros({cells, x_TC.size(1)}, x_AC.options()).index_add(0, cell_A, x_AC);
  const auto count =
      at::zeros({cells}, x_AC.options()).index_add(0, cell_A, at::ones_like(x_AC.select(1, 0)));
  return {(sum / count.clamp_min(1).unsqueeze(1)).view({groups, experts, -1}),
          count.view({groups, experts})};
}

}  // namespace

at::Tensor contrast(const at::Tensor& prototypes_EC, const ExpertMeans& means, double temperature) {
  const auto here_GE = means.count_GE > 0;
  const auto logits_GEE =
      at::matmul(unit_rows(prototypes_EC), unit_rows(means.mean_GEC).transpose(1, 2)) / temperature;
  const auto absent_GEE = here_GE.logical_not().unsqueeze(1);
  // Not -inf: a group without any expert would give NaN gradients.
  const auto masked = logits_GEE.masked_fill(absent_GEE, -1e30);
  const auto own_GE = -at::log_softmax(masked, 2).diagonal(0, 1, 2);
  const auto weight = here_GE.to(own_GE.scalar_type());
  return at::where(here_GE, own_GE, at::zeros_like(own_GE)).sum() / weight.sum().clamp_min(1);
}

void RoutingContrastiveLoss::Params::declare(Fields<Params>& f) {
  f.add("lambda", &Params::lambda, "coefficient", at_least(0));
  f.add("temperature", &Params::temperature, "divides the cosines", at_least(1e-6));
  f.add("all_slots", &Params::all_slots, "false: the best slot of a token alone counts");
  f.add("scope", &Params::scope, "tokens that share their means", Choices{{"batch", "sequence"}});
}

at::Tensor RoutingContrastiveLoss::loss(const RouterOutput& output, const ForwardContext& context,
                                        const std::string& site) {
  check(output.prototypes_EC.defined(), site,
        "loss routing_contrastive needs prototypes: valid scorer: prototype");
  const auto type = score_type(output.x_TC);
  const auto x_TC = output.x_TC.to(type);
  const TokenLevel& level = context.level();
  const bool by_sequence = params_.scope == "sequence";
  const auto group_T = by_sequence ? sequence_of(level, x_TC.size(0))
                                   : at::zeros({x_TC.size(0)}, level.seq_offset.options());
  const int64_t groups = by_sequence ? level.seq_offset.size(0) - 1 : 1;
  const auto means = means_of(x_TC, group_T, groups, output.logits_TE.size(1),
                              entries_of(output, params_.all_slots));
  return contrast(output.prototypes_EC.to(type), means, params_.temperature) * params_.lambda;
}

void register_routing_contrastive_loss() {
  router_losses().add<RoutingContrastiveLoss::Params>(
      "routing_contrastive", "prototypes against the means of their experts' tokens",
      [](const RoutingContrastiveLoss::Params& p) {
        return std::make_unique<RoutingContrastiveLoss>(p);
      });
}

}  // namespace switchyard
