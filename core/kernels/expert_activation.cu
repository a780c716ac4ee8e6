#include "core/kernels/activation_math.h"
#include "core/kernels/device_math.cuh"

namespace switchyard::kernels {
namespace {

/// What one lane handles: N columns of gate (or the only) part and of the up part, bias added.
template <class T, int N>
struct Columns {
  acc_t<T> gate[N], up[N];
};

template <class T, int N>
__device__ void add_pack(const void* from, int64_t at, acc_t<T> (&to)[N]) {
  const auto pack = *reinterpret_cast<const Pack<T, N>*>(static_cast<const T*>(from) + at);
#pragma unroll
  for (int i = 0; i < N; ++i) to[i] += load(pack.v + i);
}
template <class T, int N>
__device__ void store_pack(void* to, int64_t at, const acc_t<T> (&from)[N]) {
  Pack<T, N> pack;
#pragma unroll
  for (int i = 0; i < N; ++i) store(pack.v + i, from[i]);
  *reinterpret_cast<Pack<T, N>*>(static_cast<T*>(to) + at) = pack;
}

template <class T, int N>
__device__ Columns<T, N> columns_at(const Activate& p, int64_t row, int64_t slot, int64_t h) {
  const int64_t width = p.gated ? 2 * p.hidden : p.hidden;
  Columns<T, N> c{};
  add_pack<T>(p.z, row * width + h, c.gate);
  if (p.bias) add_pack<T>(p.bias, slot * width + h, c.gate);
  if (!p.gated) return c;
  add_pack<T>(p.z, row * width + p.hidden + h, c.up);
  if (p.bias) add_pack<T>(p.bias, slot * width + p.hidden + h, c.up);
  return c;
}

__device__ int64_t slot_of_row(const Activate& p, int64_t row) {
  return p.bias ? p.slot_of[p.entry[row]] : 0;
}

template <class T, int N, Act kAct>
__global__ void activate_rows(Activate p, int shift) {
  const int64_t thread = blockIdx.x * static_cast<int64_t>(blockDim.x) + threadIdx.x;
  const int64_t row = thread >> shift, slot = row < p.rows ? slot_of_row(p, row) : 0;
  if (row >= p.rows) return;
  for (int64_t u = thread & ((1 << shift) - 1); u * N < p.hidden; u += 1 << shift) {
    const auto c = columns_at<T, N>(p, row, slot, u * N);
    acc_t<T> a[N];
#pragma unroll
    for (int i = 0; i < N; ++i)
      a[i] = p.gated ? act_value<kAct>(c.gate[i]) * c.up[i] : act_value<kAct>(c.gate[i]);
    store_pack<T>(p.a, row * p.hidden + u * N, a);
  }
}

/// A warp per row.
template <class T, int N, Act kAct>
__global__ void backward_rows(ActivateBackward p) {
  using acc = acc_t<T>;
  const Activate& f = p.forward;
  const int64_t row = (blockIdx.x * static_cast<int64_t>(blockDim.x) + threadIdx.x) / 32;
  if (row >= f.rows) return;
  const int64_t lane = threadIdx.x % 32, slot = slot_of_row(f, row), entry = f.entry[row];
  const int64_t width = f.gated ? 2 * f.hidden : f.hidden;
  const acc w = static_cast<const acc*>(p.weight)[entry];
  acc dot = 0;
  for (int64_t h = lane * N; h < f.hidden; h += 32 * N) {
    const auto c = columns_at<T, N>(f, row, slot, h);
    acc da[N] = {}, dgate[N], dup[N], scaled[N];
    add_pack<T>(p.da, row * f.hidden + h, da);
#pragma unroll
    for (int i = 0; i < N; ++i) {
      const auto act = act_slope<kAct>(c.gate[i]);
      const acc up = f.gated ? c.up[i] : acc(1);
      dot += da[i] * act.value * up;
      dgate[i] = w * da[i] * up * act.slope;
      dup[i] = w * da[i] * act.value;
      scaled[i] = w * act.value * up;
    }
    store_pack<T>(p.dz, row * width + h, dgate);
    if (f.gated) store_pack<T>(p.dz, row * width + f.hidden + h, dup);
    store_pack<T>(p.scaled, row * f.hidden + h, scaled);
  }
  for (int step = 16; step > 0; step /= 2) dot += __shfl_xor_sync(kFullWarp, dot, step);
  if (lane == 0) static_cast<acc*>(p.dweight)[entry] = dot;
}

template <class Run>
void with_pack(const Activate& p, std::initializer_list<const void*> pointers, Run&& run) {
  with_dtype(p.dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    const bool fits = packs<T>(p.hidden, pointers) && packs<T>(p.hidden, {p.z, p.bias});
    with_act(p.act, [&](auto act) {
      constexpr Act kAct = decltype(act)::value;
      fits ? run.template operator()<T, kPack<T>, kAct>() : run.template operator()<T, 1, kAct>();
    });
  });
}

}  // namespace

void activate_cuda(const Activate& p, void* stream) {
  if (p.rows == 0 || p.hidden == 0) return;
  with_pack(p, {p.a}, [&]<class T, int N, Act kAct>() {
    const int shift = lane_shift(p.hidden / N);
    activate_rows<T, N, kAct>
        <<<blocks_for(p.rows << shift, kThreads), kThreads, 0, static_cast<cudaStream_t>(stream)>>>(
            p, shift);
  });
}

void activate_backward_cuda(const ActivateBackward& p, void* stream) {
  const Activate& f = p.forward;
  if (f.rows == 0) return;
  with_pack(f, {p.da, p.dz, p.scaled}, [&]<class T, int N, Act kAct>() {
    backward_rows<T, N, kAct>
        <<<blocks_for(f.rows, kThreads / 32), kThreads, 0, static_cast<cudaStream_t>(stream)>>>(p);
  });
}

}  // namespace switchyard::kernels
