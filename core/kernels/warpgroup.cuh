#pragma once
// Matrix products of a warpgroup, 128 threads (PTX wgmma, compute capability 9.0a): half types from
// shared memory, sums in float. Operands lie in panels: rows of 64 values, 128 bytes, whose eight
// units of 16 bytes are swizzled by the row, `unit ^ row % 8`; a panel starts at a multiple of 1024
// bytes. Layouts: PTX ISA 8, "Asynchronous warpgroup level matrix instructions".

#include <type_traits>

#include "core/kernels/device_math.cuh"

namespace switchyard::kernels {

constexpr int kPanel = 64;               // values of a row
constexpr int kBlockSize = 64 * kPanel;  // values of 64 rows

/// Where unit `unit` of row `row` of a panel lies, in values.
__device__ inline int swizzled(int row, int unit) {
  return row * kPanel + ((unit ^ (row & 7)) << 3);
}

__device__ inline uint32_t packed(__nv_bfloat16, float low, float high) {
  const __nv_bfloat162 pair = __floats2bfloat162_rn(low, high);
  return *reinterpret_cast<const uint32_t*>(&pair);
}
__device__ inline uint32_t packed(__half, float low, float high) {
  const __half2 pair = __floats2half2_rn(low, high);
  return *reinterpret_cast<const uint32_t*>(&pair);
}
/// 16 bytes from global to shared memory, asynchronously; zeros where `valid` does not hold.
__device__ inline void copy_async(void* to, const void* from, bool valid) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(
                   static_cast<uint32_t>(__cvta_generic_to_shared(to))),
               "l"(from), "r"(valid ? 16 : 0));
}
/// One value of 4 or 8 bytes, likewise.
template <class V>
__device__ void copy_value(V* to, const V* from, bool valid) {
  constexpr int kBytes = sizeof(V);
  asm volatile("cp.async.ca.shared.global [%0], [%1], %2, %3;" ::"r"(
                   static_cast<uint32_t>(__cvta_generic_to_shared(to))),
               "l"(from), "n"(kBytes), "r"(valid ? kBytes : 0));
}
__device__ inline void commit_copies() { asm volatile("cp.async.commit_group;"); }
template <int kLeft>
__device__ void wait_copies() {
  asm volatile("cp.async.wait_group %0;" ::"n"(kLeft) : "memory");
}

/// A factor of a product, in a panel from `at` on. Each step sums over 16 values: the next 16 of
/// every row, or, kDown, of every column.
template <bool kDown_>
struct Operand {
  static constexpr bool kDown = kDown_;
  uint64_t descriptor;

  __device__ explicit Operand(const void* at) {
    const auto address = static_cast<uint64_t>(__cvta_generic_to_shared(at));
    descriptor = (address & 0x3ffff) >> 4 | 1ull << 16 | 64ull << 32 | 1ull << 62;
  }
  __device__ uint64_t step(int i) const { return descriptor + i * (kDown ? 16 * 128 : 32) / 16; }
};
using Along = Operand<false>;
using Down = Operand<true>;

/// The sums [64, 8 kN] of a warpgroup: its warp w has rows 16 w .., laid out as by mma.m16n8k16.
template <int kN>
using GroupSum = float[kN][4];

// Other machines compile, but never run, these kernels (fused_mlp_cuda_runs).
#ifdef __CUDA_ARCH_FEAT_SM90_ALL
#define SWITCHYARD_ASM(...) asm volatile(__VA_ARGS__)
#else
#define SWITCHYARD_ASM(...) __trap()
#endif
#define SWITCHYARD_SUM(i) "+f"(d[i][0]), "+f"(d[i][1]), "+f"(d[i][2]), "+f"(d[i][3])
#define SWITCHYARD_WGMMA(shape, type, list, left_at, right_at, left_down, right_down, add_at, ...) \
  SWITCHYARD_ASM("{.reg .pred p; setp.ne.b32 p, " add_at                                           \
                 ", 0; wgmma.mma_async.sync.aligned." shape ".f32." type "." type " {" list        \
                 "}, " left_at ", " right_at ", p, 1, 1, " left_down ", " right_down ";}"          \
                 : __VA_ARGS__                                                                     \
                 : "l"(left), "l"(right), "n"(kLeftDown), "n"(kRightDown), "r"(add))
#define SWITCHYARD_WGMMA_LEFT(type)                                                            \
  SWITCHYARD_ASM(                                                                              \
      "{.reg .pred p; setp.ne.b32 p, %37, 0; wgmma.mma_async.sync.aligned.m64n64k16.f32." type \
      "." type " {" SWITCHYARD_LIST32 "}, {%32, %33, %34, %35}, %36, p, 1, 1, 0;}"             \
      : SWITCHYARD_SUM(0), SWITCHYARD_SUM(1), SWITCHYARD_SUM(2), SWITCHYARD_SUM(3),            \
        SWITCHYARD_SUM(4), SWITCHYARD_SUM(5), SWITCHYARD_SUM(6), SWITCHYARD_SUM(7)             \
      : "r"(left[0]), "r"(left[1]), "r"(left[2]), "r"(left[3]), "l"(right), "r"(add))
#define SWITCHYARD_LIST16 "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15"
#define SWITCHYARD_LIST32 \
  SWITCHYARD_LIST16       \
  ", %16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31"

template <class T, bool kLeftDown, bool kRightDown>
__device__ void multiply_step(GroupSum<4>& d, uint64_t left, uint64_t right, int add) {
  if constexpr (std::is_same_v<T, __half>)
    SWITCHYARD_WGMMA("m64n32k16", "f16", SWITCHYARD_LIST16, "%16", "%17", "%18", "%19", "%20",
                     SWITCHYARD_SUM(0), SWITCHYARD_SUM(1), SWITCHYARD_SUM(2), SWITCHYARD_SUM(3));
  else
    SWITCHYARD_WGMMA("m64n32k16", "bf16", SWITCHYARD_LIST16, "%16", "%17", "%18", "%19", "%20",
                     SWITCHYARD_SUM(0), SWITCHYARD_SUM(1), SWITCHYARD_SUM(2), SWITCHYARD_SUM(3));
}
template <class T, bool kLeftDown, bool kRightDown>
__device__ void multiply_step(GroupSum<8>& d, uint64_t left, uint64_t right, int add) {
  if constexpr (std::is_same_v<T, __half>)
    SWITCHYARD_WGMMA("m64n64k16", "f16", SWITCHYARD_LIST32, "%32", "%33", "%34", "%35", "%36",
                     SWITCHYARD_SUM(0), SWITCHYARD_SUM(1), SWITCHYARD_SUM(2), SWITCHYARD_SUM(3),
                     SWITCHYARD_SUM(4), SWITCHYARD_SUM(5), SWITCHYARD_SUM(6), SWITCHYARD_SUM(7));
  else
    SWITCHYARD_WGMMA("m64n64k16", "bf16", SWITCHYARD_LIST32, "%32", "%33", "%34", "%35", "%36",
                     SWITCHYARD_SUM(0), SWITCHYARD_SUM(1), SWITCHYARD_SUM(2), SWITCHYARD_SUM(3),
                     SWITCHYARD_SUM(4), SWITCHYARD_SUM(5), SWITCHYARD_SUM(6), SWITCHYARD_SUM(7));
}
/// The left factor [64, 16] lies in registers, as two blocks of 8 columns of a sum do.
template <class T>
__device__ void multiply_step(GroupSum<8>& d, const uint32_t (&left)[4], uint64_t right, int add) {
  if constexpr (std::is_same_v<T, __half>)
    SWITCHYARD_WGMMA_LEFT("f16");
  else
    SWITCHYARD_WGMMA_LEFT("bf16");
}
#undef SWITCHYARD_SUM
#undef SWITCHYARD_WGMMA_LEFT
#undef SWITCHYARD_WGMMA
#undef SWITCHYARD_LIST16
#undef SWITCHYARD_LIST32

/// sum = left right over 64 values, or, where `add`, sum += left right; asynchronous.
template <class T, int kN, class Left, class Right>
__device__ void multiply(float (&sum)[kN][4], const Left& left, const Right& right, bool add) {
#pragma unroll
  for (int i = 0; i < 4; ++i)
    multiply_step<T, Left::kDown, Right::kDown>(sum, left.step(i), right.step(i), add || i > 0);
}

/// The warpgroup of this thread, in a form that the compiler knows to be equal in all lanes.
__device__ inline unsigned group_index() { return __shfl_sync(kFullWarp, threadIdx.x / 128, 0); }
/// The row of sums [64, .] of which this thread has values; it has those of row + 8, too.
__device__ inline int sum_row() { return threadIdx.x / 32 % 4 * 16 + threadIdx.x % 32 / 4; }
__device__ inline void sync_group(unsigned group) {
  asm volatile("bar.sync %0, 128;" ::"r"(1 + group) : "memory");
}

/// Stores the rows 8 down .. of the sums of 32 columns, rounded, as four matrices [8, 8]; lane
/// 8 m + r gives the address of row r of matrix m.
template <class T>
__device__ void store_matrices(const float (*sum)[4], int down, T* row) {
  uint32_t word[4];
#pragma unroll
  for (int n = 0; n < 4; ++n) word[n] = packed(T(), sum[n][2 * down], sum[n][2 * down + 1]);
  asm volatile("stmatrix.sync.aligned.m8n8.x4.shared.b16 [%0], {%1, %2, %3, %4};" ::"r"(
                   static_cast<uint32_t>(__cvta_generic_to_shared(row))),
               "r"(word[0]), "r"(word[1]), "r"(word[2]), "r"(word[3])
               : "memory");
}

/// Before products whose sums were written by the program; after the writes of operands, which also
/// need a barrier between the threads.
__device__ inline void begin_products() {
  SWITCHYARD_ASM("wgmma.fence.sync.aligned;" ::: "memory");
}
__device__ inline void publish_operands() {
  SWITCHYARD_ASM("fence.proxy.async.shared::cta;" ::: "memory");
}
__device__ inline void commit_products() {
  SWITCHYARD_ASM("wgmma.commit_group.sync.aligned;" ::: "memory");
}
/// Waits until at most kLeft groups of products of the warpgroup run.
template <int kLeft>
__device__ void wait_products() {
  SWITCHYARD_ASM("wgmma.wait_group.sync.aligned %0;" ::"n"(kLeft) : "memory");
}

#undef SWITCHYARD_ASM

}  // namespace switchyard::kernels
