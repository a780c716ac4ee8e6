#include "routers/losses/balance.h"

#include <ATen/ops/diff.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/repeat_interleave.h>

#include "core/moe/balance.h"

namespace switchyard {
namespace {

struct Params {
  double alpha = 0.01;
  std::string scope = "micro", probabilities = "scores", null_load = "own";
  static void declare(Fields<Params>& f) {
    f.add("alpha", &Params::alpha, "coefficient", at_least(0));
    f.add("scope", &Params::scope, "tokens that share one count",
          Choices{{"sequence", "micro", "accumulation", "global"}});
    f.add("probabilities", &Params::probabilities,
          "the router's scores, or their softmax over the experts where they are none themselves",
          Choices{{"scores", "softmax"}});
    f.add("null_load", &Params::null_load, "count of a null slot: its own, or the mean of all",
          Choices{{"own", "mean"}});
  }
};

BalanceLoss::Scope scope_from_name(const std::string& name) {
  using Scope = BalanceLoss::Scope;
  static const std::map<std::string, Scope> scopes = {{"sequence", Scope::Sequence},
                                                      {"micro", Scope::Micro},
                                                      {"accumulation", Scope::Accumulation},
                                                      {"global", Scope::Global}};
  return scopes.at(name);
}

/// [T, E] i64: which columns of the scores each token chose, of chosen_TK.
at::Tensor use_of(const at::Tensor& chosen_TK, int64_t columns) {
  const auto chosen = chosen_TK.to(at::kLong);
  const auto column_TK = chosen.masked_fill(chosen < 0, columns);
  return at::zeros({chosen.size(0), columns + 1}, chosen.options())
      .scatter_(1, column_TK, 1)
      .narrow(1, 0, columns);
}

/// The same of an assignment whose entries are all choices: how often.
at::Tensor use_of(const Assignment& a) {
  const auto row_A = at::repeat_interleave(at::diff(a.token_offset), std::optional(a.entries()));
  const auto use_TE = at::zeros({a.tokens(), a.slots()}, a.slot_of.options());
  return use_TE.view(-1)
      .index_add(0, row_A * a.slots() + a.slot_of, at::ones_like(a.slot_of))
      .view_as(use_TE);
}

/// The last `nulls` counts become their mean.
at::Tensor share_nulls(const at::Tensor& count_E, int64_t nulls) {
  if (nulls == 0) return count_E;
  const auto count = count_E.to(at::kDouble);
  const int64_t experts = count.size(0) - nulls;
  return at::cat(
      {count.narrow(0, 0, experts), count.narrow(0, experts, nulls).mean().expand({nulls})});
}

at::Tensor sequence_mean(const at::Tensor& scores_TE, const at::Tensor& use_TE,
                         const at::Tensor& offset_S, int64_t nulls) {
  const auto offset = offset_S.to(at::kCPU);
  const int64_t* at = offset.data_ptr<int64_t>();
  std::vector<at::Tensor> terms;
  for (int64_t s = 0; s + 1 < offset.size(0); ++s) {
    const int64_t length = at[s + 1] - at[s];
    if (length == 0) continue;
    const auto count_E = use_TE.narrow(0, at[s], length).sum(0);
    terms.push_back(balance_term(scores_TE.narrow(0, at[s], length), share_nulls(count_E, nulls)));
  }
  return terms.empty() ? scores_TE.sum() * 0 : at::stack(terms).mean();
}

/// Rows that are valid and were routed, and seq_offset counted over them.
void keep_counted(const at::Tensor& counted_T, at::Tensor& scores_TE, at::Tensor& use_TE,
                  at::Tensor& offset_S) {
  const auto kept = counted_T.nonzero().view(-1);
  const auto before =
      at::cat({at::zeros({1}, offset_S.options()), counted_T.to(at::kLong).cumsum(0)});
  scores_TE = scores_TE.index_select(0, kept);
  use_TE = use_TE.index_select(0, kept);
  offset_S = before.index_select(0, offset_S);
}

}  // namespace

at::Tensor balance_term(const at::Tensor& scores_TE, const at::Tensor& count_E) {
  if (scores_TE.size(0) == 0) return scores_TE.sum();
  const auto count = count_E.to(scores_TE.scalar_type());
  const auto share = count / count.sum().clamp_min(1);
  return (scores_TE.mean(0) * share).sum() * static_cast<double>(scores_TE.size(1));
}

at::Tensor BalanceLoss::loss(const RouterOutput& output, const ForwardContext& context,
                             const std::string& site) {
  auto scores_TE = of_softmax_ ? at::softmax(output.scores_TE, 1) : output.scores_TE;
  const int64_t columns = scores_TE.size(1);
  auto use_TE = output.chosen_TK.defined() ? use_of(output.chosen_TK, columns)
                                           : use_of(output.assignment).narrow(1, 0, columns);
  auto offset_S = context.level().seq_offset;
  for (const auto& counted_T : {context.level().valid, output.routed_T})
    if (counted_T.defined() && counted_T.size(0) == scores_TE.size(0))
      keep_counted(counted_T, scores_TE, use_TE, offset_S);
  const int64_t nulls = mean_null_ ? output.null_slots : 0;
  if (scope_ == Scope::Sequence) return sequence_mean(scores_TE, use_TE, offset_S, nulls) * alpha_;
  const auto count_E = use_TE.sum(0);
  if (scope_ == Scope::Micro) return balance_term(scores_TE, share_nulls(count_E, nulls)) * alpha_;
  check(context.balance != nullptr, site,
        "balance loss with scope accumulation or global needs a balance state; "
        "valid without one: sequence, micro");
  const auto step_E = scope_ == Scope::Global
                          ? context.balance->add_global(site + "/global", count_E)
                          : context.balance->add(site, count_E);
  return balance_term(scores_TE, share_nulls(step_E, nulls)) * alpha_;
}

void register_balance_loss() {
  router_losses().add<Params>(
      "balance", "E * sum of mean probability * share of the tokens", [](const Params& p) {
        return std::make_unique<BalanceLoss>(p.alpha, scope_from_name(p.scope),
                                             p.probabilities == "softmax", p.null_load == "mean");
      });
}

}  // namespace switchyard
