#include "core/train/runtime.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <c10/core/CachingDeviceAllocator.h>
#include <sys/resource.h>

#include <cstdlib>

#include "core/base/error.h"

namespace switchyard {
namespace {

c10::DeviceIndex index_of(at::Device device) { return device.has_index() ? device.index() : 0; }

c10::CachingAllocator::Stat memory_of(at::Device device) {
  const auto stats = c10::getDeviceAllocator(device.type())->getDeviceStats(index_of(device));
  return stats.allocated_bytes[static_cast<size_t>(c10::CachingAllocator::StatType::AGGREGATE)];
}

}  // namespace

void init_runtime(int64_t threads, bool deterministic) {
  ::setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", /*overwrite=*/0);
  if (threads > 0) at::set_num_threads(static_cast<int>(threads));
  auto& context = at::globalContext();
  context.setDeterministicAlgorithms(deterministic, /*warn_only=*/false);
  context.setDeterministicFillUninitializedMemory(false);
  context.setDeterministicCuDNN(deterministic);
  if (deterministic) context.setBenchmarkCuDNN(false);
  context.setAllowTF32CuDNN(false);
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

void synchronize(at::Device device) {
  if (device.is_cuda()) at::detail::getCUDAHooks().deviceSynchronize(device.index());
}

int64_t take_peak_memory(at::Device device) {
  if (device.is_cpu()) {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    return 1024 * usage.ru_maxrss;
  }
  const auto stats = memory_of(device);
  c10::getDeviceAllocator(device.type())->resetPeakStats(index_of(device));
  return stats.peak;
}

int64_t held_memory(at::Device device) { return device.is_cpu() ? 0 : memory_of(device).current; }

}  // namespace switchyard
