#include "core/kernels/activation_math.h"
#include "core/kernels/device_math.cuh"

namespace switchyard::kernels {
namespace {

constexpr int kRowsPerBlock = 8;  // one warp a row

template <class T, Act kAct>
__global__ void activate_elements(Activate p) {
  const int64_t i = blockIdx.x * static_cast<int64_t>(blockDim.x) + threadIdx.x;
  if (i >= p.rows * p.hidden) return;
  const int64_t row = i / p.hidden, h = i % p.hidden;
  const T* z = static_cast<const T*>(p.z) + row * (p.gated ? 2 * p.hidden : p.hidden);
  const auto value = act_value<kAct>(load(z + h));
  store(static_cast<T*>(p.a) + i, p.gated ? value * load(z + p.hidden + h) : value);
}

template <class T, Act kAct>
__global__ void backward_rows(ActivateBackward p) {
  using acc = acc_t<T>;
  const int64_t r = blockIdx.x * static_cast<int64_t>(kRowsPerBlock) + threadIdx.x / 32;
  if (r >= p.rows) return;
  const int64_t width = p.gated ? 2 * p.hidden : p.hidden, lane = threadIdx.x % 32;
  const T* z = static_cast<const T*>(p.z) + r * width;
  const T* da = static_cast<const T*>(p.da) + r * p.hidden;
  T* dz = static_cast<T*>(p.dz) + r * width;
  T* scaled = static_cast<T*>(p.scaled) + r * p.hidden;
  const acc w = load(static_cast<const T*>(p.weight) + p.entry[r]);
  acc dot = 0;
  for (int64_t h = lane; h < p.hidden; h += 32) {
    const auto f = act_slope<kAct>(load(z + h));
    const acc up = p.gated ? load(z + p.hidden + h) : acc(1), d = load(da + h);
    dot += d * f.value * up;
    store(dz + h, w * d * up * f.slope);
    if (p.gated) store(dz + p.hidden + h, w * d * f.value);
    store(scaled + h, w * f.value * up);
  }
  for (int step = 16; step > 0; step /= 2) dot += __shfl_xor_sync(0xffffffffu, dot, step);
  if (lane == 0) store(static_cast<T*>(p.dweight) + p.entry[r], dot);
}

}  // namespace

void activate_cuda(const Activate& p, void* stream) {
  const unsigned blocks = blocks_for(p.rows * p.hidden, kThreads);
  if (blocks == 0) return;
  with_dtype(p.dtype, [&](auto type) {
    with_act(p.act, [&](auto act) {
      activate_elements<typename decltype(type)::type, decltype(act)::value>
          <<<blocks, kThreads, 0, static_cast<cudaStream_t>(stream)>>>(p);
    });
  });
}

void activate_backward_cuda(const ActivateBackward& p, void* stream) {
  const unsigned blocks = blocks_for(p.rows, kRowsPerBlock);
  if (blocks == 0) return;
  with_dtype(p.dtype, [&](auto type) {
    with_act(p.act, [&](auto act) {
      backward_rows<typename decltype(type)::type, decltype(act)::value>
          <<<blocks, kThreads, 0, static_cast<cudaStream_t>(stream)>>>(p);
    });
  });
}

}  // namespace switchyard::kernels
