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

#define SWITCHYARD_SUM(i) "+f"(d[i][0]), "+f"(d[i][1]), "+f"(d[i][2]), "+f"(d[i][3])
#define SWITCHYARD_WGMMA(shape, type, list, left_at, right_at, left_down, right_down, add_at, ...) \
  asm volatile("{.reg .pred p; setp.ne.b32 p, " add_at ", 0; wgmma.mma_async.sync.aligned." shape  \
               ".f32." type "." type " {" list "}, " left_at ", " right_at ", p, 1, 1, " left_down \
               ", " right_down ";}"                                                                \
               : __VA_ARGS__                                                                       \
               : "l"(left), "l"(right), "n"(kLeftDown), "n"(kRightDown), "r"(add))
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
#undef SWITCHYARD_SUM
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

/// Before products whose sums were written by the program; after the writes of operands, which also
/// need a barrier between the threads.
__device__ inline void begin_products() { asm volatile("wgmma.fence.sync.aligned;" ::: "memory"); }
__device__ inline void publish_operands() {
  asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
}
__device__ inline void commit_products() {
  asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
}
/// Waits until at most kLeft groups of products of the warpgroup run.
template <int kLeft>
__device__ void wait_products() {
  asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(kLeft) : "memory");
}

}  // namespace switchyard::kernels
