#pragma once

#include "core/moe/router.h"

namespace switchyard {

/// Experts choose their tokens (Zhou et al. 2022; EC-DiT): each takes the floor(N / E * capacity)
/// tokens with the largest scores out of the N of a sequence, or of the whole batch, at least
/// `least` and at most N; ties to the first token. A token has 0 to E slots. Not causal.
class ExpertChoiceSelector : public Selector {
 public:
  struct Params {
    double capacity = 1;
    std::string scope = "sequence";
    int64_t least = 1;
    static void declare(Fields<Params>& f);
  };
  explicit ExpertChoiceSelector(const Params& params) : params_(params) {}
  Selection select(const SelectorInput& input, const ForwardContext& context) override;
  double mean_k() const override { return params_.capacity; }
  bool causal() const override { return false; }

 private:
  Params params_;
};

/// [T, E] bool: the k tokens of [begin, begin + count) with the largest scores of each slot, for
/// every sequence. `take`: k of a sequence of that length.
at::Tensor best_tokens(const at::Tensor& scores_TE, const at::Tensor& seq_offset,
                       const std::function<int64_t(int64_t length)>& take);
/// floor(tokens / experts * capacity), in that order.
int64_t expert_capacity(int64_t tokens, int64_t experts, double capacity);

void register_expert_choice_selector();

}  // namespace switchyard
