#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <memory>

namespace switchyard {

/// Work on a GPU, recorded once and replayed with one launch (a CUDA graph).
class DeviceGraph {
 public:
  /// Runs `run` three times, then records it. `run` must not wait for the device, and reads and
  /// writes the same addresses on every replay. Error: a build without CUDA.
  explicit DeviceGraph(const std::function<void()>& run);
  ~DeviceGraph();
  void replay();

 private:
  struct Recorded;
  std::unique_ptr<Recorded> recorded_;
};

}  // namespace switchyard
