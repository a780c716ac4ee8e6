#pragma once

#include <ATen/core/Tensor.h>

#include <string>

namespace switchyard {

/// Once, before anything is computed: thread count (0: leave), deterministic algorithms without
/// filling empty tensors, CUBLAS_WORKSPACE_CONFIG (unless the user set it). An op without a
/// deterministic form then throws with its name.
void init_runtime(int64_t threads, bool deterministic);

/// "cpu", "cuda" or "cuda:N". Errors: another name; no CUDA in this build or on this machine.
at::Device parse_device(const std::string& name);

}  // namespace switchyard
