#include "core/moe/routing_check.h"

#include <ATen/ops/constant_pad_nd.h>

#include "core/moe/layer_check.h"

namespace switchyard {
namespace {

/// [T, K] columns, -1 behind a token's last.
at::Tensor choices_of(const RouterOutput& out) {
  const Assignment& a = out.assignment;
  const auto chosen_TK = out.chosen_TK.defined()
                             ? out.chosen_TK
                             : padded_slots({a.token_offset, a.slot_of.narrow(0, 0, a.used()), 0});
  return chosen_TK.to(at::kLong);
}

/// Both as wide as the wider one.
std::pair<at::Tensor, at::Tensor> equal_width(const at::Tensor& a_TK, const at::Tensor& b_TK) {
  const int64_t width = std::max(a_TK.size(1), b_TK.size(1));
  const auto wide = [&](const at::Tensor& t) {
    return at::constant_pad_nd(t, {0, width - t.size(1)}, -1);
  };
  return {wide(a_TK), wide(b_TK)};
}

double largest(const at::Tensor& x) { return x.numel() == 0 ? 0 : x.abs().max().item<double>(); }

}  // namespace

double routing_gap(const RouterOutput& op, const RouterOutput& stages, double p) {
  const auto [op_TK, stage_TK] = equal_width(choices_of(op), choices_of(stages));
  const int64_t columns = stages.scores_TE.size(1);
  // Slots behind the columns are those of hooks: score 0.
  const auto score_of = [&](const at::Tensor& slot_TK) {
    const auto outside = (slot_TK < 0) | (slot_TK >= columns);
    return stages.scores_TE.detach()
        .gather(1, slot_TK.masked_fill(outside, 0))
        .masked_fill(outside, 0);
  };
  const auto op_score = score_of(op_TK), stage_score = score_of(stage_TK);
  const auto both_TK = (op_TK >= 0) & (stage_TK >= 0);
  const auto same_T = ((op_TK >= 0) == (stage_TK >= 0)).all(1);
  const auto common_T = stage_score.masked_fill(~both_TK, 0).sum(1);
  const auto same_T1 = same_T.unsqueeze(1);
  const double scores = largest((op_score - stage_score).masked_fill(~both_TK, 0)),
               sums = largest((common_T - p).masked_fill(same_T, 0)),
               weights = relative_l2(dense_weights(op.assignment).masked_fill(~same_T1, 0),
                                     dense_weights(stages.assignment).masked_fill(~same_T1, 0));
  return std::max({scores, sums, weights});
}

}  // namespace switchyard
