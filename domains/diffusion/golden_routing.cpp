// How the routing of a MoE layer is compared with a case of the set promoe.

#include <ATen/ops/zeros.h>

#include "core/moe/token_groups.h"
#include "domains/diffusion/golden_parts.h"
#include "routers/selectors/capacity_predictor.h"

namespace switchyard::diffusion_golden {
namespace {

/// [B, N, S]: factor of every slot's output for every token, 0 where it is not routed.
at::Tensor combine_of(const Assignment& a, int64_t batch) {
  const auto token_A = token_of_entry({a.token_offset, a.slot_of, 0});
  const auto place_A = token_A * a.slots() + a.slot_of;
  return at::zeros({a.tokens() * a.slots()}, a.weight.options())
      .index_add(0, place_A, a.weight.detach())
      .view({batch, -1, a.slots()});
}

/// Scores of the experts, [B, N, E]. Where images without a class have a slot of their own, their
/// rows are zero or, with `conditional_only`, left out.
at::Tensor routed_scores(const RoutingRecord::Site& site, int64_t batch, int64_t experts,
                         bool conditional_only) {
  const auto scores = site.scores_TS.detach().narrow(1, 0, experts);
  const int64_t length = scores.size(0) / batch;
  if (site.scores_TS.size(1) == experts) return scores.view({batch, length, experts});
  if (!conditional_only)
    return at::where(site.cond_T.unsqueeze(1), scores, at::zeros_like(scores))
        .view({batch, length, experts});
  return scores.index_select(0, site.cond_T.nonzero().select(1, 0)).view({-1, length, experts});
}

/// `expected` itself where both hold the same numbers in some order along the last axis.
at::Tensor in_stored_order(const at::Tensor& got, const at::Tensor& expected) {
  if (got.sizes() != expected.sizes()) return got;
  const auto sorted = [](const at::Tensor& x) { return std::get<0>(x.sort(-1)); };
  return sorted(got).equal(sorted(expected)) ? expected : got;
}

/// One layer's comparison.
class RoutingComparison {
 public:
  RoutingComparison(const GoldenCase& c, GoldenResult& result, std::string prefix,
                    const RoutingRecord::Site& site)
      : c_(c), result_(result), prefix_(std::move(prefix)), site_(site) {
    const auto expected = c.tensor(prefix_ + "combine");
    batch_ = expected.size(0);
    combine_ = combine_of(site.assignment, batch_);
  }

  void token_choice() {
    const auto stored = c_.tensor(prefix_ + "scores");
    const int64_t experts = stored.size(2), k = c_.tensor(prefix_ + "indices").size(2);
    result_.compare(prefix_ + "scores", routed_scores(site_, batch_, experts, false));
    // Images without a class hold the extra slot k times, with weights 1, 0, ..
    const auto& a = site_.assignment;
    auto indices = at::full({a.tokens(), k}, experts, at::kLong);
    auto weights = at::zeros({a.tokens(), k}, combine_.options());
    weights.select(1, 0).fill_(1);
    const auto offset = a.token_offset.cpu(), slot = a.slot_of.cpu();
    const int64_t* at = offset.const_data_ptr<int64_t>();
    for (int64_t t = 0; t < a.tokens(); ++t) {
      if (slot[at[t]].item<int64_t>() >= experts) continue;
      indices[t].copy_(slot.narrow(0, at[t], k));
      weights[t].copy_(a.weight.detach().narrow(0, at[t], k));
    }
    result_.compare(prefix_ + "indices", indices.view({batch_, -1, k}));
    result_.compare(prefix_ + "weights", weights.view({batch_, -1, k}));
  }

  /// [Bc, E, N] or, over the whole batch, [E, M].
  void expert_choice() {
    const auto stored = c_.tensor(prefix_ + "scores");
    const bool pooled = stored.dim() == 2;
    const int64_t experts = stored.size(pooled ? 0 : 1);
    const bool some = !pooled && stored.size(0) < batch_;
    auto scores = routed_scores(site_, batch_, experts, some);
    auto factor = combine_.narrow(2, 0, experts);
    if (some) {
      const auto kept = site_.cond_T.view({batch_, -1}).select(1, 0).nonzero().select(1, 0);
      factor = factor.index_select(0, kept);
    }
    if (pooled) {
      scores = scores.reshape({-1, experts});
      factor = factor.reshape({-1, experts});
    }
    scores = scores.transpose(-1, -2);
    factor = factor.transpose(-1, -2);
    result_.compare(prefix_ + "scores", scores);
    const auto indices = c_.tensor(prefix_ + "indices").to(factor.device());
    if (indices.dim() == 1) return flat_choice(scores, factor, indices);
    const auto chosen = factor.masked_fill(factor == 0, 0).abs() > 0;
    const auto best =
        std::get<1>(scores.masked_fill(chosen.logical_not(), -1e30).topk(indices.size(-1), -1));
    const auto order = in_stored_order(best, indices);
    result_.compare(prefix_ + "indices", order);
    result_.compare(prefix_ + "weights", factor.gather(-1, order));
  }

  void common() {
    result_.compare(prefix_ + "combine", combine_);
    result_.compare(prefix_ + "counts", site_.assignment.count());
  }

  void predictor(const Module& layer) {
    for (const Module* module : layer.modules()) {
      const auto* selector = dynamic_cast<const CapacityPredictorSelector*>(module);
      if (!selector) continue;
      result_.compare(prefix_ + "capacity_logits",
                      selector->logits().detach().view({batch_, -1, combine_.size(2)}));
      if (c_.has(prefix_ + "mask"))
        result_.compare(prefix_ + "mask", (combine_ != 0).to(combine_.scalar_type()));
      for (const ParamView& view : layer.views()) {
        if (view.name == "expert_threshold" && c_.has(prefix_ + "expert_threshold_after"))
          result_.compare(prefix_ + "expert_threshold_after", view.value());
      }
    }
  }

 private:
  /// Expert by expert, best first; lengths are the counts.
  void flat_choice(const at::Tensor& scores_EM, const at::Tensor& factor_EM,
                   const at::Tensor& stored) {
    std::vector<at::Tensor> indices, weights;
    int64_t begin = 0;
    for (int64_t e = 0; e < scores_EM.size(0); ++e) {
      const auto token = (factor_EM[e] != 0).nonzero().select(1, 0);
      const auto best = std::get<1>(scores_EM[e].index_select(0, token).sort(-1, true));
      const int64_t count = std::min(token.size(0), stored.size(0) - begin);
      indices.push_back(
          in_stored_order(token.index_select(0, best), stored.narrow(0, begin, count)));
      weights.push_back(factor_EM[e].index_select(0, indices.back()));
      begin += count;
    }
    result_.compare(prefix_ + "indices", at::cat(indices));
    result_.compare(prefix_ + "weights", at::cat(weights));
  }

  const GoldenCase& c_;
  GoldenResult& result_;
  std::string prefix_;
  const RoutingRecord::Site& site_;
  int64_t batch_ = 0;
  at::Tensor combine_;
};

}  // namespace

void RoutingRecord::record(const std::string& site, const RouterOutput& routed,
                           const ForwardContext& context) {
  const Assignment& assignment = routed.assignment;
  const int64_t tokens = assignment.tokens(), extra = assignment.slots() - routed.scores_TE.size(1);
  const auto sequence_T = sequence_of(context.level(), tokens);
  const auto cond_T = context.cond_mask.defined()
                          ? context.cond_mask.to(sequence_T.device()).index_select(0, sequence_T)
                          : at::ones({tokens}, sequence_T.options().dtype(at::kBool));
  sites[site] = {assignment, at::constant_pad_nd(routed.scores_TE, {0, extra}), cond_T};
}

void compare_routing(const GoldenCase& c, GoldenResult& result, const std::string& pass,
                     const std::string& prefix, const RoutingRecord::Site& site,
                     const Module& layer) {
  const std::string start = "outputs/" + pass + "/" + prefix + "router.";
  RoutingComparison comparison(c, result, start, site);
  comparison.common();
  if (c.has(start + "scores")) {
    const auto model = c.config.at("model").get<std::string>();
    model == "promoe_tc" || model == "tc_dit" ? comparison.token_choice()
                                              : comparison.expert_choice();
  }
  comparison.predictor(layer);
}

}  // namespace switchyard::diffusion_golden
