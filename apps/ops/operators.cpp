// The MoE kernels as operators of torch, library switchyard_ops; see docs/operators.md.

#include <torch/library.h>

#include "apps/ops/rows_function.h"
#include "core/base/error.h"
#include "core/kernels/expert_mlp.h"
#include "core/kernels/route_top_p.h"
#include "core/kernels/rows.h"

namespace switchyard {
namespace {

using Optional = std::optional<at::Tensor>;
using at::Tensor;

Score score_named(const char* op, const std::string& name) {
  const std::vector<std::string> names = {"softmax", "sigmoid", "identity"};
  check_name(op, "score", name, names);
  return static_cast<Score>(std::find(names.begin(), names.end(), name) - names.begin());
}

std::tuple<Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor> route(
    const Tensor& logits_TE, int64_t k, const std::string& score, bool renormalise,
    const Optional& seq_offset, const Optional& routed_S) {
  std::optional<ForcedTokens> forced;
  if (seq_offset) forced = {*seq_offset, routed_S.value_or(Tensor())};
  const Routed out =
      route_top_k(logits_TE, {score_named("route_top_k", score), renormalise, k}, forced);
  const Assignment& a = out.assignment;
  return {out.scores_TE, a.weight,   a.token_offset, a.slot_of,
          a.slot_offset, a.token_of, a.position,     a.entry};
}

std::tuple<Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor> route_by_sum(
    const Tensor& logits_TE, int64_t k, double p, const std::string& score, bool renormalise,
    int64_t null_slots, bool keep_share, bool singles) {
  const RoutedTopP out = route_top_p(
      logits_TE,
      {{score_named("route_top_p", score), renormalise, k}, p, null_slots, keep_share, singles});
  const Assignment& a = out.assignment;
  return {out.scores_TE, out.chosen_TK, a.weight,   a.token_offset, a.slot_of,
          a.slot_offset, a.token_of,    a.position, a.entry};
}

Tensor experts(const Tensor& x_TC, const Tensor& in_ENC, const Tensor& out_EDH,
               at::TensorList routing, const std::string& activation, bool gated,
               const Optional& in_bias, const Optional& out_bias) {
  Assignment assignment = assignment_of(routing);
  assignment.weight = assignment.weight.to(row_weight_type(x_TC));
  const ExpertWeights weights{in_ENC, in_bias.value_or(Tensor()), out_EDH,
                              out_bias.value_or(Tensor())};
  return expert_mlp(x_TC, weights, assignment, activation_from_name(activation), gated);
}

TORCH_LIBRARY(switchyard, library) {
  library.def(
      "route_top_k(Tensor logits, int k, str score=\"softmax\", bool renormalise=True, *, "
      "Tensor? seq_offset=None, Tensor? routed=None) -> (Tensor scores, Tensor weight, Tensor "
      "token_offset, Tensor slot_of, Tensor slot_offset, Tensor token_of, Tensor position, Tensor "
      "entry)",
      route);
  library.def(
      "route_top_p(Tensor logits, int k, float p, str score=\"softmax\", bool renormalise=True, *, "
      "int null_slots=0, bool keep_share=True, bool singles=False) -> (Tensor scores, Tensor "
      "chosen, Tensor weight, Tensor token_offset, Tensor slot_of, Tensor slot_offset, Tensor "
      "token_of, Tensor position, Tensor entry)",
      route_by_sum);
  library.def(
      "expert_mlp(Tensor x, Tensor w_in, Tensor w_out, Tensor[] routing, str activation, bool "
      "gated, *, Tensor? b_in=None, Tensor? b_out=None) -> Tensor",
      experts);
  library.def("gather(Tensor x, Tensor[] routing) -> Tensor", gather_tokens);
  library.def("combine(Tensor rows, Tensor[] routing) -> Tensor", combine_tokens);
}

}  // namespace
}  // namespace switchyard
