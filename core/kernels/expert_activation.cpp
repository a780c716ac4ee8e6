#include "core/kernels/expert_activation.h"

#include "core/kernels/device_call.h"

namespace switchyard {

using namespace kernels;

namespace {

Activate to_kernel(const ExpertHidden& h) {
  const int64_t width = h.z.size(1);
  return {h.z.data_ptr(),
          h.bias_EN.defined() ? h.bias_EN.data_ptr() : nullptr,
          h.entry.data_ptr<int64_t>(),
          h.slot_of.data_ptr<int64_t>(),
          static_cast<Act>(h.activation),
          h.gated,
          dtype_of(h.z, "expert_activation"),
          h.z.size(0),
          h.gated ? width / 2 : width,
          nullptr};
}

}  // namespace

at::Tensor expert_activation(const ExpertHidden& hidden) {
  Activate p = to_kernel(hidden);
  auto a = at::empty({p.rows, p.hidden}, hidden.z.options());
  p.a = a.data_ptr();
  launch(p, a.device(), activate_cpu, activate_cuda);
  return a;
}

ExpertActivationGrad expert_activation_backward(const ExpertHidden& hidden, const at::Tensor& da,
                                                const at::Tensor& weight_A) {
  ExpertActivationGrad out{at::empty_like(hidden.z), at::empty_like(da), at::empty_like(weight_A)};
  launch(ActivateBackward{to_kernel(hidden), da.data_ptr(), weight_A.data_ptr(), out.dz.data_ptr(),
                          out.scaled.data_ptr(), out.dweight.data_ptr()},
         da.device(), activate_backward_cpu, activate_backward_cuda);
  return out;
}

}  // namespace switchyard
