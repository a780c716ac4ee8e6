#include "core/kernels/modulate.h"

#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/custom_function.h>

#include "core/kernels/device_call.h"

namespace switchyard {

using namespace kernels;

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;
using Optional = std::optional<at::Tensor>;

constexpr auto kWhere = "modulate";

const void* pointer(const at::Tensor& t) { return t.defined() ? t.data_ptr() : nullptr; }
void* pointer(at::Tensor& t) { return t.defined() ? t.data_ptr() : nullptr; }

at::ScalarType sum_type(const at::Tensor& x) {
  return x.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
}

/// All contiguous. `x` is the sum in the backward pass.
struct Operands {
  at::Tensor x, branch, gate, shift, scale, mean, factor;
};

Modulate to_kernel(Operands& o, const at::Tensor& like_out, double eps) {
  return {o.x.data_ptr(),
          pointer(std::as_const(o.branch)),
          pointer(std::as_const(o.gate)),
          o.shift.data_ptr(),
          o.scale.data_ptr(),
          dtype_of(o.x, kWhere),
          dtype_of(like_out, kWhere),
          o.x.size(0),
          o.x.size(1),
          o.x.size(2),
          eps,
          nullptr,
          nullptr,
          o.mean.data_ptr(),
          o.factor.data_ptr()};
}

class ModulateOp : public torch::autograd::Function<ModulateOp> {
 public:
  /// The result, and with a branch the sum.
  static variable_list forward(AutogradContext* context, const at::Tensor& x,
                               const Optional& branch, const Optional& gate,
                               const at::Tensor& shift, const at::Tensor& scale, double eps,
                               at::ScalarType type) {
    const auto rows = x.options().dtype(sum_type(x));
    Operands o{x,
               branch.value_or(at::Tensor()),
               gate.value_or(at::Tensor()),
               shift,
               scale,
               at::empty({x.size(0), x.size(1)}, rows),
               at::empty({x.size(0), x.size(1)}, rows)};
    auto out = at::empty(x.sizes(), x.options().dtype(type));
    at::Tensor sum = branch ? at::empty_like(x) : at::Tensor();
    Modulate p = to_kernel(o, out, eps);
    p.sum = pointer(sum);
    p.out = out.data_ptr();
    launch(p, x.device(), modulate_cpu, modulate_cuda);
    context->save_for_backward(
        {branch ? sum : x, o.branch, o.gate, shift, scale, o.mean, o.factor});
    return branch ? variable_list{out, sum} : variable_list{out};
  }

  static variable_list backward(AutogradContext* context, variable_list grads) {
    const at::NoGradGuard no_grad;
    const auto s = context->get_saved_variables();
    Operands o{s[0], s[1], s[2], s[3], s[4], s[5], s[6]};
    const auto dout = grads[0].contiguous();
    const auto dsum = o.branch.defined() ? grads[1].contiguous() : at::Tensor();
    auto dx = at::empty_like(o.x);
    at::Tensor dbranch = o.branch.defined() ? at::empty_like(o.branch) : at::Tensor();
    const int64_t parts = o.branch.defined() ? 3 : 2;
    const auto sums = at::empty({parts, o.x.size(0), modulate_chunks(o.x.size(1)), o.x.size(2)},
                                o.mean.options());
    const auto part = [&](int64_t i) { return i < parts ? sums[i].data_ptr() : nullptr; };
    launch(ModulateBackward{to_kernel(o, dout, 0), pointer(dsum), dout.data_ptr(), dx.data_ptr(),
                            pointer(dbranch), part(0), part(1), part(2)},
           dx.device(), modulate_backward_cpu, modulate_backward_cuda);
    const auto total = sums.sum(2).to(o.x.scalar_type()).unbind(0);
    return {dx, dbranch, parts == 3 ? total[2] : at::Tensor(), total[0], total[1], {}, {}};
  }
};

void check_operands(const ResidualStream& in, const at::Tensor& shift, const at::Tensor& scale,
                    at::ScalarType type) {
  const at::Tensor& x = in.x_BNC;
  check(x.dim() == 3, kWhere, "x: got shape ", to_text(x.sizes().vec()), ", expected [B, N, C]");
  const int64_t width = x.size(2);
  check(width % 4 == 0 && width >= 4 && width <= kModulateWidth, kWhere, "channels: got ", width,
        ", expected a multiple of 4 up to ", kModulateWidth);
  check(in.branch_BNC.defined() == in.gate_BC.defined(), kWhere, "got a branch or a gate alone");
  check(!in.branch_BNC.defined() || in.branch_BNC.sizes() == x.sizes(), kWhere,
        "branch and x differ in shape");
  for (const at::Tensor& t : {shift, scale, in.gate_BC.defined() ? in.gate_BC : shift})
    check(t.dim() == 2 && t.size(0) == x.size(0) && t.size(1) == width, kWhere,
          "shift, scale, gate: got shape ", to_text(t.sizes().vec()), ", expected [", x.size(0),
          ", ", width, "]");
  const bool half = type == at::kBFloat16 || type == at::kHalf;
  check(type == x.scalar_type() || (half && x.scalar_type() == at::kFloat), kWhere, "type: got ",
        c10::toString(type), " for x of type ", c10::toString(x.scalar_type()),
        ", expected the same, or a half type for float");
}

}  // namespace

at::Tensor ResidualStream::value() const {
  return branch_BNC.defined() ? x_BNC + gate_BC.unsqueeze(1) * branch_BNC : x_BNC;
}

Modulated modulate(const ResidualStream& stream, const at::Tensor& shift_BC,
                   const at::Tensor& scale_BC, double eps, at::ScalarType type) {
  check_operands(stream, shift_BC, scale_BC, type);
  const auto x = stream.x_BNC.contiguous();
  const auto row = [&](const at::Tensor& t) { return t.to(x.scalar_type()).contiguous(); };
  Optional branch, gate;
  if (stream.branch_BNC.defined()) {
    branch = stream.branch_BNC.to(type).contiguous();
    gate = row(stream.gate_BC);
  }
  const auto out = ModulateOp::apply(x, branch, gate, row(shift_BC), row(scale_BC), eps, type);
  return {branch ? out[1] : x, out[0]};
}

}  // namespace switchyard
