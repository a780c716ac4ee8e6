#include "core/kernels/device_math.cuh"

namespace switchyard::kernels {
namespace {

template <class T>
__global__ void gather_elements(Gather p) {
  const int64_t i = blockIdx.x * static_cast<int64_t>(blockDim.x) + threadIdx.x;
  if (i >= p.rows * p.width) return;
  const int64_t row = i / p.width, column = i % p.width;
  static_cast<T*>(p.out)[i] = static_cast<const T*>(p.x)[p.index[row] * p.width + column];
}

template <class T>
__global__ void combine_elements(Combine p) {
  const int64_t i = blockIdx.x * static_cast<int64_t>(blockDim.x) + threadIdx.x;
  if (i >= p.tokens * p.width) return;
  const int64_t token = i / p.width, column = i % p.width;
  const T* rows = static_cast<const T*>(p.rows);
  const T* weight = static_cast<const T*>(p.weight);
  acc_t<T> sum = 0;
  for (int64_t a = p.token_offset[token]; a < p.token_offset[token + 1]; ++a) {
    const acc_t<T> w = weight ? load(weight + a) : acc_t<T>(1);
    sum += w * load(rows + p.position[a] * p.width + column);
  }
  store(static_cast<T*>(p.out) + i, sum);
}

}  // namespace

void gather_rows_cuda(const Gather& p, void* stream) {
  const unsigned blocks = blocks_for(p.rows * p.width, kThreads);
  if (blocks == 0) return;
  with_dtype(p.dtype, [&](auto tag) {
    gather_elements<typename decltype(tag)::type>
        <<<blocks, kThreads, 0, static_cast<cudaStream_t>(stream)>>>(p);
  });
}

void combine_rows_cuda(const Combine& p, void* stream) {
  const unsigned blocks = blocks_for(p.tokens * p.width, kThreads);
  if (blocks == 0) return;
  with_dtype(p.dtype, [&](auto tag) {
    combine_elements<typename decltype(tag)::type>
        <<<blocks, kThreads, 0, static_cast<cudaStream_t>(stream)>>>(p);
  });
}

}  // namespace switchyard::kernels
