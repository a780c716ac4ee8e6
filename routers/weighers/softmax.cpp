#include "routers/weighers/softmax.h"

#include <ATen/ops/diff.h>

namespace switchyard {
namespace {

struct Params {
  bool renormalise = true;
  static void declare(Fields<Params>& f) {
    f.add("renormalise", &Params::renormalise, "weights of a token sum to 1 (k > 1)");
  }
};

at::Tensor uniform_weights(const at::Tensor& scores_TE, const Selection& selection,
                           bool renormalise) {
  const auto p_TK = scores_TE.gather(1, selection.slot_of.view({scores_TE.size(0), selection.k}));
  if (!renormalise || selection.k == 1) return p_TK.reshape(-1);
  return (p_TK / (p_TK.sum(1, true) + 1e-20)).view(-1);
}

}  // namespace

at::Tensor SoftmaxWeigher::scores(const at::Tensor& logits_TE) { return at::softmax(logits_TE, 1); }

at::Tensor SoftmaxWeigher::weights(const at::Tensor& scores_TE, const Selection& selection) {
  if (selection.k > 0) return uniform_weights(scores_TE, selection, renormalise_);
  const auto row_A = token_of_entry(selection);
  const auto p_A =
      scores_TE.reshape(-1).index_select(0, row_A * scores_TE.size(1) + selection.slot_of);
  if (!renormalise_) return p_A;
  const auto sum_T = at::zeros({scores_TE.size(0)}, p_A.options()).index_add(0, row_A, p_A);
  const auto several_A = at::diff(selection.token_offset).index_select(0, row_A) > 1;
  return at::where(several_A, p_A / (sum_T.index_select(0, row_A) + 1e-20), p_A);
}

void register_softmax_weigher() {
  weighers().add<Params>(
      "softmax", "softmax over all slots, renormalised over the chosen ones",
      [](const Params& p) { return std::make_unique<SoftmaxWeigher>(p.renormalise); });
}

}  // namespace switchyard
