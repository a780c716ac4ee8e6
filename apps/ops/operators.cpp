// The MoE kernels as operators of torch, library switchyard_ops; see docs/operators.md.

#include <torch/library.h>

#include "apps/ops/rows_function.h"
#include "core/base/error.h"
#include "core/kernels/expert_mlp.h"
#include "core/kernels/route.h"

namespace switchyard {
namespace {

using Optional = std::optional<at::Tensor>;
using at::Tensor;

Score score_named(const std::string& name) {
  const std::vector<std::string> names = {"softmax", "sigmoid", "identity"};
  check_name("route_top_k", "score", name, names);
  return static_cast<Score>(std::find(names.begin(), names.end(), name) - names.begin());
}

std::tuple<Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor> route(
    const Tensor& logits_TE, int64_t k, const std::string& score, bool renormalise,
    const Optional& seq_offset, const Optional& routed_S) {
  std::optional<ForcedTokens> forced;
  if (seq_offset) forced = {*seq_offset, routed_S.value_or(Tensor())};
  const Routed out = route_top_k(logits_TE, {score_named(score), renormalise, k}, forced);
  const Assignment& a = out.assignment;
  return {out.scores_TE, a.weight,   a.token_offset, a.slot_of,
          a.slot_offset, a.token_of, a.position,     a.entry};
}

Tensor experts(const Tensor& x_TC, const Tensor& in_ENC, const Tensor& out_EDH,
               at::TensorList routing, const std::string& activation, bool gated,
               const Optional& in_bias, const Optional& out_bias) {
  Assignment assignment = assignment_of(routing);
  assignment.weight = assignment.weight.to(x_TC.scalar_type());
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
      "expert_mlp(Tensor x, Tensor w_in, Tensor w_out, Tensor[] routing, str activation, bool "
      "gated, *, Tensor? b_in=None, Tensor? b_out=None) -> Tensor",
      experts);
  library.def("gather(Tensor x, Tensor[] routing) -> Tensor", gather_tokens);
  library.def("combine(Tensor rows, Tensor[] routing) -> Tensor", combine_tokens);
}

}  // namespace
}  // namespace switchyard
