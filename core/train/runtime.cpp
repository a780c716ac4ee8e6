#include "core/train/runtime.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>

#include <cstdlib>

#include "core/base/error.h"

namespace switchyard {

void init_runtime(int64_t threads, bool deterministic) {
  ::setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", /*overwrite=*/0);
  if (threads > 0) at::set_num_threads(static_cast<int>(threads));
  auto& context = at::globalContext();
  context.setDeterministicAlgorithms(deterministic, /*warn_only=*/false);
  context.setDeterministicFillUninitializedMemory(false);
  context.setDeterministicCuDNN(deterministic);
  if (deterministic) context.setBenchmarkCuDNN(false);
}

at::Device parse_device(const std::string& name) {
  if (name == "cpu") return at::kCPU;
  const bool digits = name.size() > 5 && name.size() < 8 &&
                      name.find_first_not_of("0123456789", 5) == std::string::npos;
  check(name == "cuda" || (name.starts_with("cuda:") && digits), "device", "unknown device: got '",
        name, "'; valid: cpu, cuda, cuda:N");
  check(at::hasCUDA(), "device", "no CUDA device can be used: got '", name, "'; valid: cpu");
  return at::Device(name);
}

}  // namespace switchyard
