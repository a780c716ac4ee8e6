#pragma once

#include <ATen/core/Tensor.h>

#include <string>

namespace switchyard {

/// Once, before anything is computed: thread count (0: leave), deterministic algorithms without
/// filling empty tensors, convolutions of fp32 in fp32 (cuDNN's default is TF32, with 10 bits),
/// CUBLAS_WORKSPACE_CONFIG (unless the user set it). An op without a deterministic form then throws
/// with its name.
void init_runtime(int64_t threads, bool deterministic);

/// "cpu", "cuda" or "cuda:N". Errors: another name; no CUDA in this build or on this machine.
at::Device parse_device(const std::string& name);

/// Waits until all work on `device` is done.
void synchronize(at::Device device);
/// The most memory held since the last call, bytes: by tensors on a GPU, by the whole program (and
/// since its start) on the CPU.
int64_t take_peak_memory(at::Device device);
/// Bytes that tensors on a GPU hold now; 0 on the CPU.
int64_t held_memory(at::Device device);

}  // namespace switchyard
