#pragma once
// Element types of the CUDA kernels. Half types are summed in float.

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <initializer_list>

#include "core/kernels/launch.h"

namespace switchyard::kernels {

template <class T>
struct Acc {
  using type = float;
};
template <>
struct Acc<double> {
  using type = double;
};
template <class T>
using acc_t = typename Acc<T>::type;

template <class T>
__device__ inline acc_t<T> load(const T* p) {
  return static_cast<acc_t<T>>(*p);
}
template <class T>
__device__ inline void store(T* p, acc_t<T> value) {
  *p = static_cast<T>(value);
}

/// N values that are moved at once: 16 bytes, where rows and addresses allow it.
template <class T, int N>
struct alignas(N * sizeof(T)) Pack {
  T v[N];
};
template <class T>
constexpr int kPack = 16 / sizeof(T);
template <class T>
bool packs(int64_t width, std::initializer_list<const void*> pointers) {
  uintptr_t bits = static_cast<uintptr_t>(width) * sizeof(T);
  for (const void* p : pointers) bits |= reinterpret_cast<uintptr_t>(p);
  return bits % 16 == 0;
}

template <class T>
struct TypeTag {
  using type = T;
};
template <class Run>
void with_dtype(DType dtype, Run&& run) {
  switch (dtype) {
    case DType::Float:
      return run(TypeTag<float>{});
    case DType::Double:
      return run(TypeTag<double>{});
    case DType::BFloat16:
      return run(TypeTag<__nv_bfloat16>{});
    case DType::Half:
      return run(TypeTag<__half>{});
  }
}

constexpr int kThreads = 256;
constexpr unsigned kFullWarp = 0xffffffffu;

/// A kernel that takes more than 48 kB of shared memory must ask for it.
template <class Kernel>
void allow_shared(Kernel* kernel, size_t bytes) {
  if (bytes > 48 << 10)
    cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                         static_cast<int>(bytes));
}

/// Launches a kernel that may start while the one before it on the stream ends: it must call
/// wait_for_previous() before it touches memory that this one writes or reads; and the one before
/// may have been launched so itself: what it waited for is done only if it lets the next start
/// behind its own wait.
template <class... Params, class... Args>
void launch_early(void (*kernel)(Params...), dim3 blocks, int threads, size_t shared, void* stream,
                  const Args&... args) {
  cudaLaunchAttribute early{};
  early.id = cudaLaunchAttributeProgrammaticStreamSerialization;
  early.val.programmaticStreamSerializationAllowed = 1;
  cudaLaunchConfig_t config{};
  config.gridDim = blocks;
  config.blockDim = dim3(static_cast<unsigned>(threads));
  config.dynamicSmemBytes = shared;
  config.stream = static_cast<cudaStream_t>(stream);
  config.attrs = &early;
  config.numAttrs = 1;
  cudaLaunchKernelEx(&config, kernel, static_cast<Params>(args)...);
}
__device__ inline void wait_for_previous() { asm volatile("griddepcontrol.wait;" ::: "memory"); }
/// Lets a kernel that is launched early take the place of blocks that end.
__device__ inline void let_next_start() {
  asm volatile("griddepcontrol.launch_dependents;" ::: "memory");
}

/// Sum of n over the lanes up to this one.
__device__ inline int warp_prefix(int n) {
  const int lane = threadIdx.x % 32;
  for (int step = 1; step < 32; step *= 2) {
    const int left = __shfl_up_sync(kFullWarp, n, step);
    if (lane >= step) n += left;
  }
  return n;
}

/// i / by, by one product: i up to kMost, by up to kMostBy.
class Divider {
 public:
  static constexpr int kMost = 8192, kMostBy = 32;
  explicit Divider(int by) : factor_(((1 << kShift) + by - 1) / by) {}
  __device__ unsigned operator()(unsigned i) const { return i * factor_ >> kShift; }

 private:
  static constexpr int kShift = 18;
  static_assert(kMost * (kMostBy - 1) < 1 << kShift,
                "what is rounded up stays below the next quotient");
  unsigned factor_;
};

/// Lanes that share a row of `units`: a power of two up to a warp. As a shift.
inline int lane_shift(int64_t units) {
  int shift = 0;
  while (shift < 5 && (1 << shift) < units) ++shift;
  return shift;
}

/// The segment that row i lies in: offset[segment] <= i < offset[segment + 1].
__device__ inline int64_t segment_of(const int64_t* offset, int64_t segments, int64_t i) {
  int64_t low = 0, high = segments - 1;
  while (low < high) {
    const int64_t middle = (low + high + 1) / 2;
    if (offset[middle] <= i)
      low = middle;
    else
      high = middle - 1;
  }
  return low;
}

inline unsigned blocks_for(int64_t items, int64_t per_block) {
  return static_cast<unsigned>((items + per_block - 1) / per_block);
}

}  // namespace switchyard::kernels
