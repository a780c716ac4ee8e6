#include "core/kernels/device_math.cuh"

namespace switchyard::kernels {
namespace {

/// One thread per `Unit` of the panel.
template <class Unit>
__global__ void copy_units(SubmPanel p, int64_t units) {
  const int64_t i = blockIdx.x * static_cast<int64_t>(blockDim.x) + threadIdx.x;
  if (i >= p.rows * units) return;
  const int64_t row = i / units, unit = i % units;
  const int32_t from = p.neighbor[row];
  static_cast<Unit*>(p.panel)[i] =
      from < 0 ? Unit{} : static_cast<const Unit*>(p.x)[from * units + unit];
}

template <class Unit>
void copy(const SubmPanel& p, void* stream) {
  const int64_t units = p.row_bytes / static_cast<int64_t>(sizeof(Unit));
  copy_units<Unit>
      <<<blocks_for(p.rows * units, kThreads), kThreads, 0, static_cast<cudaStream_t>(stream)>>>(
          p, units);
}

}  // namespace

void subm_panel_cuda(const SubmPanel& p, void* stream) {
  if (p.rows == 0 || p.row_bytes == 0) return;
  const auto address = reinterpret_cast<uintptr_t>(p.x) | reinterpret_cast<uintptr_t>(p.panel) |
                       static_cast<uintptr_t>(p.row_bytes);
  if (address % 16 == 0) return copy<uint4>(p, stream);
  if (address % 4 == 0) return copy<uint32_t>(p, stream);
  copy<uint16_t>(p, stream);
}

}  // namespace switchyard::kernels
