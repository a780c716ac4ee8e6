#include "routers/selectors/expert_choice.h"

#include <ATen/ops/zeros.h>

#include "core/kernels/routing.h"
#include "core/moe/token_groups.h"

namespace switchyard {
int64_t expert_capacity(int64_t tokens, int64_t experts, double capacity) {
  return static_cast<int64_t>(static_cast<double>(tokens) / static_cast<double>(experts) *
                              capacity);
}

at::Tensor best_tokens(const at::Tensor& scores_TE, const at::Tensor& seq_offset,
                       const std::function<int64_t(int64_t length)>& take) {
  const int64_t experts = scores_TE.size(1);
  auto mask_TE = at::zeros(scores_TE.sizes(), scores_TE.options().dtype(at::kBool));
  for (const EqualSequences& run : equal_sequences(seq_offset)) {
    const int64_t k = take(run.length), tokens = run.length * run.count;
    if (k == 0 || tokens == 0) continue;
    const auto column = scores_TE.narrow(0, run.begin, tokens)
                            .view({run.count, run.length, experts})
                            .transpose(1, 2)
                            .reshape({-1, run.length});
    const auto token = top_k_slots(column, k).view({run.count, experts, k}).transpose(1, 2);
    mask_TE.narrow(0, run.begin, tokens)
        .view({run.count, run.length, experts})
        .scatter_(1, token, true);
  }
  return mask_TE;
}

void ExpertChoiceSelector::Params::declare(Fields<Params>& f) {
  f.add("capacity", &Params::capacity, "mean number of experts per token", at_least(0));
  f.add("scope", &Params::scope, "tokens that an expert chooses from",
        Choices{{"sequence", "batch"}});
  f.add("least", &Params::least, "tokens that an expert takes at least", at_least(0));
}

Selection ExpertChoiceSelector::select(const SelectorInput& input, const ForwardContext& context) {
  const int64_t tokens = input.scores_TE.size(0), experts = input.scores_TE.size(1);
  const auto offset = params_.scope == "batch" ? at::tensor({int64_t{0}, tokens}, at::kLong)
                                               : context.level().seq_offset;
  const auto take = [&](int64_t length) {
    const int64_t wanted =
        std::max(params_.least, expert_capacity(length, experts, params_.capacity));
    return std::min(length, wanted);
  };
  return mask_selection(best_tokens(input.scores_TE, offset, take));
}

void register_expert_choice_selector() {
  selectors().add<ExpertChoiceSelector::Params>(
      "expert_choice", "every expert takes its best tokens of a sequence or of the batch",
      [](const ExpertChoiceSelector::Params& p, int64_t, int64_t) {
        return std::make_unique<ExpertChoiceSelector>(p);
      });
}

}  // namespace switchyard
