#include "core/kernels/expert_mlp.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/mm.h>
#include <torch/csrc/autograd/custom_function.h>

#include "core/base/error.h"
#include "core/kernels/expert_activation.h"
#include "core/kernels/grouped_mm.h"
#include "core/kernels/rows.h"

namespace switchyard {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;
using Optional = std::optional<at::Tensor>;

Optional if_defined(const at::Tensor& t) { return t.defined() ? Optional(t) : std::nullopt; }

/// dweight of an entry from the bias of its slot: dy[token] . bias[slot].
at::Tensor bias_dot(const at::Tensor& dy_TD, const at::Tensor& bias_ED, const at::Tensor& token_A,
                    const at::Tensor& slot_A) {
  const auto dot_TE = at::mm(dy_TD, bias_ED.t());
  return dot_TE.view(-1).index_select(0, token_A * dot_TE.size(1) + slot_A);
}

class ExpertMlp : public torch::autograd::Function<ExpertMlp> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& in,
                            const Optional& in_bias, const at::Tensor& out,
                            const Optional& out_bias, const at::Tensor& weight,
                            const at::Tensor& token_offset, const at::Tensor& slot_of,
                            const at::Tensor& slot_offset, const at::Tensor& token_of,
                            const at::Tensor& position, const at::Tensor& entry, int64_t activation,
                            bool gated) {
    const at::Tensor in_add = in_bias.value_or(at::Tensor()),
                     out_add = out_bias.value_or(at::Tensor());
    RowGroups groups(slot_offset);
    const auto z = grouped_linear(gather_rows(x, token_of), in, groups);
    const auto a =
        expert_activation({z, in_add, entry, slot_of, static_cast<Activation>(activation), gated});
    const auto rows = grouped_linear(a, out, groups);
    context->save_for_backward({x, in, in_add, out, out_add, weight, token_offset, slot_of,
                                slot_offset, token_of, position, entry, z});
    context->saved_data["activation"] = activation;
    context->saved_data["gated"] = gated;
    return combine_rows(rows, weight, position, token_offset, {out_add, slot_of});
  }

  static variable_list backward(AutogradContext* context, variable_list grads) {
    at::NoGradGuard no_grad;
    const auto saved = context->get_saved_variables();
    const auto &x = saved[0], &in = saved[1], &in_bias = saved[2], &out = saved[3],
               &out_bias = saved[4], &weight = saved[5], &token_offset = saved[6];
    const auto &slot_of = saved[7], &token_of = saved[9], &position = saved[10], &entry = saved[11];
    RowGroups groups(saved[8]);
    const auto dy_TD = grads[0].contiguous();
    const auto dy = gather_rows(dy_TD, token_of);
    const ExpertHidden hidden{saved[12],
                              in_bias,
                              entry,
                              slot_of,
                              static_cast<Activation>(context->saved_data["activation"].toInt()),
                              context->saved_data["gated"].toBool()};
    auto inner = expert_activation_backward(hidden, grouped_linear_dx(dy, out, groups), weight);
    at::Tensor d_out_bias, d_in_bias;
    if (out_bias.defined()) {
      d_out_bias = grouped_sum(dy, weight.index_select(0, entry), groups);
      inner.dweight += bias_dot(dy_TD, out_bias, token_of.index_select(0, position), slot_of);
    }
    if (in_bias.defined()) d_in_bias = grouped_sum(inner.dz, {}, groups);
    const auto d_out = grouped_linear_dw(dy, inner.scaled, groups);
    const auto d_in = grouped_linear_dw(inner.dz, gather_rows(x, token_of), groups);
    const auto dx =
        combine_rows(grouped_linear_dx(inner.dz, in, groups), {}, position, token_offset);
    return {dx, d_in, d_in_bias, d_out, d_out_bias, inner.dweight, {}, {}, {}, {}, {}, {}, {}, {}};
  }
};

void check_shapes(const at::Tensor& x, const ExpertWeights& w, const Assignment& a, bool gated) {
  constexpr auto kWhere = "expert_mlp";
  check(x.dim() == 2 && x.size(1) == w.in_ENC.size(2), kWhere, "x: got shape ",
        to_text(x.sizes().vec()), ", expected [tokens, ", w.in_ENC.size(2), "]");
  check(x.size(0) == a.tokens() && w.in_ENC.size(0) == a.slots(), kWhere, "assignment: got ",
        a.tokens(), " tokens and ", a.slots(), " slots, expected ", x.size(0), " and ",
        w.in_ENC.size(0));
  check(w.in_ENC.size(1) == w.out_EDH.size(2) * (gated ? 2 : 1), kWhere,
        "hidden widths of the two weights differ");
  check(x.scalar_type() == w.in_ENC.scalar_type() && x.scalar_type() == a.weight.scalar_type(),
        kWhere, "types differ: got x ", c10::toString(x.scalar_type()), ", experts ",
        c10::toString(w.in_ENC.scalar_type()), ", weight ", c10::toString(a.weight.scalar_type()));
}

}  // namespace

at::Tensor expert_mlp(const at::Tensor& x_TC, const ExpertWeights& experts,
                      const Assignment& assignment, Activation activation, bool gated) {
  check_shapes(x_TC, experts, assignment, gated);
  return ExpertMlp::apply(x_TC, experts.in_ENC, if_defined(experts.in_bias), experts.out_EDH,
                          if_defined(experts.out_bias), assignment.weight.contiguous(),
                          assignment.token_offset, assignment.slot_of, assignment.slot_offset,
                          assignment.token_of, assignment.position, assignment.entry,
                          static_cast<int64_t>(activation), gated);
}

}  // namespace switchyard
