#include "core/bench/device_graph.h"

#ifdef SWITCHYARD_WITH_CUDA
#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDAGuard.h>
#endif

#include "core/base/error.h"

namespace switchyard {

#ifdef SWITCHYARD_WITH_CUDA

struct DeviceGraph::Recorded {
  at::cuda::CUDAGraph graph;
};

DeviceGraph::DeviceGraph(const std::function<void()>& run)
    : recorded_(std::make_unique<Recorded>()) {
  const auto stream = c10::cuda::getStreamFromPool();
  c10::cuda::device_synchronize();
  {
    const c10::cuda::CUDAStreamGuard guard(stream);
    for (int i = 0; i < 3; ++i) run();
    stream.synchronize();
    recorded_->graph.capture_begin();
    run();
    recorded_->graph.capture_end();
  }
  c10::cuda::device_synchronize();
}

void DeviceGraph::replay() { recorded_->graph.replay(); }

#else

struct DeviceGraph::Recorded {};

DeviceGraph::DeviceGraph(const std::function<void()>&) {
  fail("DeviceGraph", "this build has no CUDA: got graph, expected eager; valid: eager");
}

void DeviceGraph::replay() {}

#endif

DeviceGraph::~DeviceGraph() = default;

}  // namespace switchyard
