#pragma once
// Device-generic tests: loop over devices().

#include <ATen/Context.h>
#include <ATen/core/Tensor.h>

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

}  // namespace switchyard::test
