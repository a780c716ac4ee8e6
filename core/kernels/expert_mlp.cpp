#include "core/kernels/expert_mlp.h"

#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/custom_function.h>

#include "core/base/error.h"
#include "core/kernels/blocked_mlp.h"
#include "core/kernels/expert_activation.h"
#include "core/kernels/expert_linear.h"
#include "core/kernels/fused_mlp.h"
#include "core/kernels/grouped_mm.h"
#include "core/kernels/rows.h"

namespace switchyard {
namespace {

enum Way : int64_t { kGrouped, kFused, kBlocked };

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;
using Optional = std::optional<at::Tensor>;

Optional if_defined(const at::Tensor& t) { return t.defined() ? Optional(t) : std::nullopt; }

/// What forward() saved, by name.
struct Saved {
  at::Tensor x;
  ExpertWeights experts;
  Assignment assignment;
  at::Tensor z;  // undefined where fused
  Activation activation;
  bool gated;

  explicit Saved(AutogradContext* context)
      : activation(static_cast<Activation>(context->saved_data["activation"].toInt())),
        gated(context->saved_data["gated"].toBool()) {
    const auto s = context->get_saved_variables();
    x = s[0];
    experts = {s[1], s[2], s[3], s[4]};
    assignment = {s[5], s[6], s[7], s[8], s[9], s[10], s[11]};
    z = s[12];
  }
  FusedMlpInput operands() const {
    const Assignment& a = assignment;
    return {x,          experts,        a.token_of, a.slot_offset, a.entry,
            a.position, a.token_offset, activation, gated};
  }
};

FusedMlpGrad grouped_backward(const Saved& s, const at::Tensor& dy_AD, RowGroups& groups) {
  const Assignment& a = s.assignment;
  const auto inner = expert_activation_backward(
      {s.z, s.experts.in_bias, a.entry, a.slot_of, s.activation, s.gated},
      grouped_linear_dx(dy_AD, s.experts.out_EDH, groups), a.weight);
  FusedMlpGrad out;
  out.dweight = inner.dweight;
  if (s.experts.in_bias.defined()) out.d_in_bias = grouped_sum(inner.dz, {}, groups);
  out.d_out = grouped_linear_dw(dy_AD, inner.scaled, groups);
  out.d_in = grouped_linear_dw(inner.dz, gather_rows(s.x, a.token_of), groups);
  const auto dx_AC = grouped_linear_dx(inner.dz, s.experts.in_ENC, groups);
  out.dx_TC = combine_rows(dx_AC, {}, a.position, a.token_offset);
  return out;
}

class ExpertMlp : public torch::autograd::Function<ExpertMlp> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& in,
                            const Optional& in_bias, const at::Tensor& out,
                            const Optional& out_bias, const at::Tensor& token_offset,
                            const at::Tensor& slot_of, const at::Tensor& weight,
                            const at::Tensor& slot_offset, const at::Tensor& token_of,
                            const at::Tensor& position, const at::Tensor& entry, bool once,
                            int64_t activation, bool gated, int64_t way, bool keep) {
    const at::Tensor in_add = in_bias.value_or(at::Tensor()),
                     out_add = out_bias.value_or(at::Tensor());
    const auto act = static_cast<Activation>(activation);
    const FusedMlpInput input{
        x,    {in, in_add, out, out_add}, token_of, slot_offset, entry, position, token_offset, act,
        gated};
    RowGroups groups(slot_offset);
    at::Tensor z, rows;
    const bool in_place = way == kFused && once;
    if (in_place) {
      rows = fused_mlp_once(input, weight, out_add);
    } else if (way == kFused) {
      rows = fused_mlp_rows(input);
    } else if (way == kBlocked) {
      if (keep) z = at::empty({entry.size(0), in.size(1)}, x.options());
      rows = blocked_mlp_rows(input, z, groups);
    } else {
      z = grouped_linear(gather_rows(x, token_of), in, groups);
      const auto a = expert_activation({z, in_add, entry, slot_of, act, gated});
      rows = grouped_linear(a, out, groups);
    }
    context->save_for_backward({x, in, in_add, out, out_add, token_offset, slot_of, weight,
                                slot_offset, token_of, position, entry, z});
    context->saved_data["activation"] = activation;
    context->saved_data["gated"] = gated;
    context->saved_data["way"] = way;
    if (in_place) return rows;
    return combine_rows(rows, weight, position, token_offset, {out_add, slot_of}, way == kFused);
  }

  static variable_list backward(AutogradContext* context, variable_list grads) {
    at::NoGradGuard no_grad;
    const Saved s(context);
    const Assignment& a = s.assignment;
    const auto& out_bias = s.experts.out_bias;
    const auto dy_TD = grads[0].contiguous();
    RowGroups groups(a.slot_offset);
    const int64_t way = context->saved_data["way"].toInt();
    const bool gathers = way == kGrouped || out_bias.defined();
    const auto dy_AD = gathers ? gather_rows(dy_TD, a.token_of) : at::Tensor();
    FusedMlpGrad d = way == kFused ? fused_mlp_backward(s.operands(), dy_TD, a.weight)
                     : way == kBlocked
                         ? blocked_mlp_backward(s.operands(), s.z, dy_TD, a.weight, groups)
                         : grouped_backward(s, dy_AD, groups);
    at::Tensor d_out_bias;
    if (out_bias.defined()) {
      const auto weight_A = a.weight.index_select(0, a.entry).to(dy_AD.scalar_type());
      d_out_bias = grouped_sum(dy_AD, weight_A, groups);
      d.dweight += bias_dot(dy_TD, out_bias, a);
    }
    return {d.dx_TC, d.d_in, d.d_in_bias, d.d_out, d_out_bias, {}, {}, d.dweight, {},
            {},      {},     {},          {},      {},         {}, {}, {}};
  }
};

Way way_of(const ExpertSetting& setting, ExpertPath path) {
  if (path == ExpertPath::Auto) path = expert_path_of(setting).path;
  if (path == ExpertPath::Fused) return kFused;
  return path == ExpertPath::Blocked ? kBlocked : kGrouped;
}

void check_shapes(const at::Tensor& x, const ExpertWeights& w, const Assignment& a, bool gated) {
  constexpr auto kWhere = "expert_mlp";
  check(x.dim() == 2 && x.size(1) == w.in_ENC.size(2), kWhere, "x: got shape ",
        to_text(x.sizes().vec()), ", expected [tokens, ", w.in_ENC.size(2), "]");
  check(x.size(0) == a.tokens() && w.in_ENC.size(0) == a.slots(), kWhere, "assignment: got ",
        a.tokens(), " tokens and ", a.slots(), " slots, expected ", x.size(0), " and ",
        w.in_ENC.size(0));
  check(w.is_linear() ? !gated : w.in_ENC.size(1) == w.out_EDH.size(2) * (gated ? 2 : 1), kWhere,
        "hidden widths of the two weights differ");
  const auto type = x.scalar_type(), weight = a.weight.scalar_type();
  check(type == w.in_ENC.scalar_type() && (weight == type || weight == row_weight_type(x)), kWhere,
        "types differ: got x ", c10::toString(type), ", experts ",
        c10::toString(w.in_ENC.scalar_type()), ", weight ", c10::toString(weight));
}

}  // namespace

at::Tensor expert_mlp(const at::Tensor& x_TC, const ExpertWeights& experts,
                      const Assignment& assignment, Activation activation, bool gated,
                      ExpertPath path) {
  check_shapes(x_TC, experts, assignment, gated);
  const ExpertSetting setting = expert_setting(x_TC, experts, assignment, activation);
  check(path != ExpertPath::Fused || fused_mlp_fits(setting), "expert_mlp",
        "fused: got shapes or types without a kernel; valid: half types or float on a GPU, at most "
        "256 channels (gated 128), multiples of 8");
  check(path != ExpertPath::Blocked || (!experts.is_linear() && blocked_mlp_fits(setting)),
        "expert_mlp",
        "blocked: got linear experts, a half type, wide double experts or a GPU; valid: float on "
        "the CPU, or double with at most 65536 values a weight");
  if (experts.is_linear()) return expert_linear(x_TC, experts, assignment, path);
  const int64_t way = way_of(setting, path);
  const bool once = assignment.once && fused_mlp_takes_once(setting.type);
  return ExpertMlp::apply(
      way == kFused ? x_TC.contiguous() : x_TC, experts.in_ENC, if_defined(experts.in_bias),
      experts.out_EDH, if_defined(experts.out_bias), assignment.token_offset, assignment.slot_of,
      assignment.weight.to(row_weight_type(x_TC)).contiguous(), assignment.slot_offset,
      assignment.token_of, assignment.position, assignment.entry, once,
      static_cast<int64_t>(activation), gated, way, at::GradMode::is_enabled());
}

}  // namespace switchyard
