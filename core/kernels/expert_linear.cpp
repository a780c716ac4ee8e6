#include "core/kernels/expert_linear.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/sum.h>
#include <torch/csrc/autograd/custom_function.h>

#include "core/base/error.h"
#include "core/kernels/fused_mlp.h"
#include "core/kernels/grouped_mm.h"
#include "core/kernels/linear_mix.h"
#include "core/kernels/rows.h"

namespace switchyard {
namespace {

/// Mix: the forward pass by linear_mix(), the backward pass as Fused.
enum Way : int64_t { kGrouped, kFused, kMix };

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;
using Optional = std::optional<at::Tensor>;

struct Saved {
  at::Tensor x, weight_EDC, bias_ED;
  Assignment assignment;

  explicit Saved(AutogradContext* context) {
    const auto s = context->get_saved_variables();
    x = s[0];
    weight_EDC = s[1];
    bias_ED = s[2];
    assignment = {s[3], s[4], s[5], s[6], s[7], s[8], s[9], context->saved_data["once"].toBool()};
  }
};

FusedMlpInput operands(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                       const Assignment& a) {
  return {x,          {weight, bias, {}, {}}, a.token_of, a.slot_offset, a.entry,
          a.position, a.token_offset,         {},         false,         a.once};
}

/// Sums over the columns of the products of two matrices.
at::Tensor row_dots(const at::Tensor& a, const at::Tensor& b, at::ScalarType type) {
  return at::sum(a * b, {1}, false, type);
}

FusedMlpGrad grouped_backward(const Saved& s, const at::Tensor& dy_TD, RowGroups& groups) {
  const Assignment& a = s.assignment;
  const auto dy_AD = gather_rows(dy_TD, a.token_of), x_AC = gather_rows(s.x, a.token_of);
  const auto weight_A1 = a.weight.index_select(0, a.entry).to(dy_AD.scalar_type()).unsqueeze(1);
  const auto dx_AC = grouped_linear_dx(dy_AD, s.weight_EDC, groups);
  FusedMlpGrad out;
  out.dx_TC = combine_rows(dx_AC, a.weight, a.position, a.token_offset);
  out.dweight = row_dots(dx_AC, x_AC, a.weight.scalar_type()).index_select(0, a.position);
  if (s.bias_ED.defined()) out.dweight += bias_dot(dy_TD, s.bias_ED, a);
  const auto scaled_AD = dy_AD * weight_A1;
  out.d_in = grouped_linear_dw(scaled_AD, x_AC, groups);
  if (s.bias_ED.defined()) out.d_in_bias = grouped_sum(scaled_AD, {}, groups);
  return out;
}

class ExpertLinear : public torch::autograd::Function<ExpertLinear> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& in,
                            const Optional& in_bias, const at::Tensor& token_offset,
                            const at::Tensor& slot_of, const at::Tensor& weight,
                            const at::Tensor& slot_offset, const at::Tensor& token_of,
                            const at::Tensor& position, const at::Tensor& entry, bool once,
                            int64_t way) {
    const at::Tensor bias = in_bias.value_or(at::Tensor());
    const Assignment a{token_offset, slot_of, weight, slot_offset, token_of, position, entry, once};
    RowGroups groups(slot_offset);
    context->save_for_backward(
        {x, in, bias, token_offset, slot_of, weight, slot_offset, token_of, position, entry});
    context->saved_data["fused"] = way != kGrouped;
    context->saved_data["once"] = once;
    if (way != kGrouped && once) return fused_mlp_once(operands(x, in, {}, a), weight, bias);
    if (way == kMix) return linear_mix(x, {in, bias, {}, {}}, a);
    const auto rows = way == kFused ? fused_mlp_rows(operands(x, in, {}, a))
                                    : grouped_linear(gather_rows(x, token_of), in, groups);
    return combine_rows(rows, weight, position, token_offset, {bias, slot_of});
  }

  static variable_list backward(AutogradContext* context, variable_list grads) {
    at::NoGradGuard no_grad;
    const Saved s(context);
    const Assignment& a = s.assignment;
    const auto dy_TD = grads[0].contiguous();
    RowGroups groups(a.slot_offset);
    const FusedMlpGrad d =
        context->saved_data["fused"].toBool()
            ? fused_mlp_backward(operands(s.x, s.weight_EDC, s.bias_ED, a), dy_TD, a.weight)
            : grouped_backward(s, dy_TD, groups);
    return {d.dx_TC, d.d_in, d.d_in_bias, {}, {}, d.dweight, {}, {}, {}, {}, {}, {}};
  }
};

Way way_of(const ExpertSetting& setting, const Assignment& assignment, ExpertPath path) {
  if (path == ExpertPath::Auto) path = expert_path_of(setting).path;
  if (path != ExpertPath::Fused) return kGrouped;
  return linear_mix_fits(setting, assignment) ? kMix : kFused;
}

}  // namespace

at::Tensor bias_dot(const at::Tensor& dy_TD, const at::Tensor& bias_ED, const Assignment& a) {
  const auto dot_TE = at::mm(dy_TD, bias_ED.t());
  const auto token_A = a.token_of.index_select(0, a.position);
  return dot_TE.view(-1).index_select(0, token_A * dot_TE.size(1) + a.slot_of);
}

at::Tensor expert_linear(const at::Tensor& x_TC, const ExpertWeights& experts, const Assignment& a,
                         ExpertPath path) {
  const auto setting = expert_setting(x_TC, experts, a, Activation::ReLU);
  const int64_t way = way_of(setting, a, path);
  return ExpertLinear::apply(
      x_TC.contiguous(), experts.in_ENC,
      experts.in_bias.defined() ? Optional(experts.in_bias) : std::nullopt, a.token_offset,
      a.slot_of, a.weight.to(row_weight_type(x_TC)).contiguous(), a.slot_offset, a.token_of,
      a.position, a.entry, a.once && fused_mlp_takes_once(setting.type), way);
}

}  // namespace switchyard
