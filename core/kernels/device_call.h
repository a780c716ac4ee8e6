#pragma once
// How the tensor-level ops reach the raw-pointer kernels.

#include <ATen/core/Tensor.h>
#include <c10/core/DeviceGuard.h>

#include <string_view>

#include "core/base/error.h"
#include "core/kernels/launch.h"

namespace switchyard::kernels {

/// Errors: a type without kernels.
inline DType dtype_of(const at::Tensor& x, std::string_view op) {
  if (x.scalar_type() == at::kFloat) return DType::Float;
  if (x.scalar_type() == at::kDouble) return DType::Double;
  if (x.scalar_type() == at::kHalf) return DType::Half;
  check(x.scalar_type() == at::kBFloat16, op, "no kernel for this type: got ",
        c10::toString(x.scalar_type()), "; valid: float, double, bfloat16, half");
  return DType::BFloat16;
}

/// The current stream of `device` (a cudaStream_t).
void* current_stream(at::Device device);

/// Runs `cpu(params)` or `cuda(params, stream)`, whichever fits `device`.
template <class Params>
void launch(const Params& params, at::Device device, void (*cpu)(const Params&),
            void (*cuda)(const Params&, void*)) {
  if (device.is_cpu()) return cpu(params);
  const c10::DeviceGuard guard(device);
  cuda(params, current_stream(device));
}

}  // namespace switchyard::kernels
