#include "routers/weighers/softmax.h"

#include <ATen/ops/diff.h>

#include "core/moe/token_groups.h"

namespace switchyard {
namespace {

struct Params {
  bool renormalise = true, singles = false;
  std::string over = "experts";
  static void declare(Fields<Params>& f) {
    f.add("renormalise", &Params::renormalise, "weights of a token sum to 1 (k > 1)");
    f.add("singles", &Params::singles, "renormalise where a token has one slot too: weight 1");
    f.add("over", &Params::over, "what the scores are normalised over",
          Choices{{"experts", "tokens"}});
  }
};

/// Softmax over the tokens of every sequence, for each slot.
at::Tensor softmax_over_tokens(const at::Tensor& logits_TE, const TokenLevel& level) {
  const int64_t tokens = logits_TE.size(0), sequences = level.seq_offset.size(0) - 1;
  const auto sequence_T = sequence_of(level, tokens);
  const auto place_TE = sequence_T.unsqueeze(1).expand_as(logits_TE);
  const auto largest_SE = at::full({sequences, logits_TE.size(1)},
                                   -std::numeric_limits<double>::infinity(), logits_TE.options())
                              .scatter_reduce(0, place_TE, logits_TE.detach(), "amax");
  const auto exp_TE = (logits_TE - largest_SE.index_select(0, sequence_T)).exp();
  const auto sum_SE = at::zeros_like(largest_SE).index_add(0, sequence_T, exp_TE);
  return exp_TE / sum_SE.index_select(0, sequence_T);
}

}  // namespace

at::Tensor SoftmaxWeigher::scores(const at::Tensor& logits_TE, const ForwardContext& context) {
  return over_tokens_ ? softmax_over_tokens(logits_TE, context.level()) : at::softmax(logits_TE, 1);
}

at::Tensor SoftmaxWeigher::weights(const at::Tensor& scores_TE, const Selection& selection) {
  const auto p_A = chosen(scores_TE, selection);
  if (!renormalise_ || (selection.k == 1 && !singles_)) return p_A;
  if (selection.k > 0) {
    const auto p_TK = p_A.view({scores_TE.size(0), selection.k});
    return (p_TK / (p_TK.sum(1, true) + 1e-20)).view(-1);
  }
  const auto row_A = token_of_entry(selection);
  const auto sum_T = at::zeros({scores_TE.size(0)}, p_A.options()).index_add(0, row_A, p_A);
  const auto share_A = p_A / (sum_T.index_select(0, row_A) + 1e-20);
  if (singles_) return share_A;
  const auto several_A = at::diff(selection.token_offset).index_select(0, row_A) > 1;
  return at::where(several_A, share_A, p_A);
}

std::optional<TopPRule> SoftmaxWeigher::rule(int64_t k) const {
  if (over_tokens_) return {};
  TopPRule rule{{Score::Softmax, renormalise_, k}};
  rule.singles = singles_;
  return rule;
}

void register_softmax_weigher() {
  weighers().add<Params>(
      "softmax", "softmax over all slots, renormalised over the chosen ones", [](const Params& p) {
        return std::make_unique<SoftmaxWeigher>(p.renormalise, p.over == "tokens", p.singles);
      });
}

}  // namespace switchyard
