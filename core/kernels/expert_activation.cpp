#include "core/kernels/expert_activation.h"

#include "core/kernels/device_call.h"

namespace switchyard {

using namespace kernels;

at::Tensor expert_activation(const at::Tensor& z, Activation activation, bool gated) {
  const int64_t rows = z.size(0), hidden = gated ? z.size(1) / 2 : z.size(1);
  auto a = at::empty({rows, hidden}, z.options());
  launch(Activate{z.data_ptr(), static_cast<Act>(activation), gated,
                  dtype_of(z, "expert_activation"), rows, hidden, a.data_ptr()},
         z.device(), activate_cpu, activate_cuda);
  return a;
}

ExpertActivationGrad expert_activation_backward(const at::Tensor& z, const at::Tensor& da,
                                                const at::Tensor& weight_A,
                                                const at::Tensor& entry_A, Activation activation,
                                                bool gated) {
  ExpertActivationGrad out{at::empty_like(z), at::empty_like(da), at::empty_like(weight_A)};
  launch(ActivateBackward{z.data_ptr(), da.data_ptr(), weight_A.data_ptr(),
                          entry_A.data_ptr<int64_t>(), static_cast<Act>(activation), gated,
                          dtype_of(z, "expert_activation"), z.size(0), da.size(1),
                          out.dz.data_ptr(), out.scaled.data_ptr(), out.dweight.data_ptr()},
         z.device(), activate_backward_cpu, activate_backward_cuda);
  return out;
}

}  // namespace switchyard
