#include "core/kernels/curve_math.h"
#include "core/kernels/device_math.cuh"

namespace switchyard::kernels {
namespace {

__global__ void curve_code(CurveCode p) {
  const int64_t i = blockIdx.x * static_cast<int64_t>(blockDim.x) + threadIdx.x;
  if (i < p.voxels) p.code[i] = code_of(p, segment_of(p.offset, p.clouds, i), i);
}

}  // namespace

void curve_code_cuda(const CurveCode& p, void* stream) {
  if (p.voxels == 0) return;
  curve_code<<<blocks_for(p.voxels, kThreads), kThreads, 0, static_cast<cudaStream_t>(stream)>>>(p);
}

}  // namespace switchyard::kernels
