#pragma once
// Device-generic tests: loop over devices(), or hand an op to check_on_devices().

#include <ATen/Context.h>
#include <ATen/core/Tensor.h>

#include <functional>
#include <iostream>
#include <vector>

namespace switchyard::test {

/// The CPU, and the GPU where there is one. Says once why GPU checks are skipped.
inline const std::vector<at::Device>& devices() {
  static const std::vector<at::Device> found = [] {
    std::vector<at::Device> list = {at::Device(at::kCPU)};
    if (at::hasCUDA()) {
      list.push_back(at::Device(at::kCUDA, 0));
    } else {
      std::cerr << "skipped on CUDA: this build or machine has no GPU\n";
    }
    return list;
  }();
  return found;
}

/// True, with a warning that names the test as skipped, where there is no GPU: for tests that have
/// nothing to do on a CPU.
bool skipped_without_gpu();

/// A differentiable op on floating tensors that moves what else it needs to their device.
using DeviceOp = std::function<at::Tensor(const std::vector<at::Tensor>& inputs)>;

struct DeviceLimits {
  double f64 = 1e-12, f32 = 2e-5, bf16 = .05;
};

/// On every device, in double, float and bfloat16: value and gradients of `op` against those on the
/// CPU in double of the same (rounded) inputs, and 20 repeats bit-equal. Fails the test, naming
/// device and type.
void check_on_devices(const std::vector<at::Tensor>& inputs, const DeviceOp& op,
                      const DeviceLimits& limits = {});

/// Value of `op` and gradients of sum(value * cotangent), in the order of `inputs`.
std::vector<at::Tensor> value_and_gradients(const std::vector<at::Tensor>& inputs,
                                            const DeviceOp& op);

/// torch's deterministic mode, as init_runtime() sets it for every run, while this lives.
class Deterministic {
 public:
  Deterministic() : before_(at::globalContext().deterministicAlgorithms()) {
    at::globalContext().setDeterministicAlgorithms(true, false);
  }
  ~Deterministic() { at::globalContext().setDeterministicAlgorithms(before_, false); }

 private:
  bool before_;
};

}  // namespace switchyard::test
