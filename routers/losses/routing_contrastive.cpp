#include "routers/losses/routing_contrastive.h"

#include <ATen/ops/bmm.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/log_softmax.h>

#include "core/kernels/rows.h"
#include "core/moe/precision.h"
#include "core/moe/token_groups.h"
#include "routers/scorers/prototype.h"

namespace switchyard {
namespace {

/// [T, E]: 1 where a token counts for an expert. Slots of selection hooks are no experts.
at::Tensor uses_of(const RouterOutput& output, bool all_slots, at::ScalarType type) {
  const Assignment& a = output.assignment;
  const auto options = output.logits_TE.options().dtype(type);
  at::Tensor first_A;
  if (!all_slots) {
    first_A = at::zeros({a.entries() + 1}, options)
                  .index_fill_(0, a.token_offset.narrow(0, 0, a.tokens()), 1)
                  .narrow(0, 0, a.entries());
  }
  return combine_rows(at::eye(a.slots(), output.logits_TE.size(1), options), first_A, a.slot_of,
                      a.token_offset);
}

ExpertMeans means_of(const at::Tensor& x_TC, const at::Tensor& use_TE,
                     const std::vector<EqualSequences>& groups) {
  std::vector<at::Tensor> sum_GEC, count_GE;
  for (const auto& g : groups) {
    const auto part = [&](const at::Tensor& t) {
      return t.narrow(0, g.begin, g.count * g.length).reshape({g.count, g.length, t.size(1)});
    };
    sum_GEC.push_back(at::bmm(part(use_TE).transpose(1, 2), part(x_TC)));
    count_GE.push_back(part(use_TE).sum(1));
  }
  const auto count = at::cat(count_GE);
  return {at::cat(sum_GEC) / count.clamp_min(1).unsqueeze(2), count};
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
  const auto groups = params_.scope == "sequence"
                          ? equal_sequences(context.level().seq_offset)
                          : std::vector<EqualSequences>{{0, x_TC.size(0), 1}};
  const auto means = means_of(x_TC, uses_of(output, params_.all_slots, type), groups);
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
