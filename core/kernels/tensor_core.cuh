#pragma once
// Warp-level matrix products of half types (PTX mma.sync m16n8k16, sums in float) and the moves
// that feed them. Layouts: PTX ISA 8, "Matrix fragments for mma.m16n8k16".

#include <type_traits>

#include "core/kernels/activation_math.h"
#include "core/kernels/device_math.cuh"

namespace switchyard::kernels {

using Fragment = uint32_t[4];

__device__ inline uint32_t shared_address(const void* p) {
  return static_cast<uint32_t>(__cvta_generic_to_shared(p));
}

__device__ inline void load_matrix(Fragment& to, const void* from) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
               : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3])
               : "r"(shared_address(from)));
}
__device__ inline void load_transposed(Fragment& to, const void* from) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];"
               : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3])
               : "r"(shared_address(from)));
}

// The left factor A [16, 16] and the right factors B [16, 16] (two of 8 columns), from shared
// memory with rows of `stride` values. `at`: its first value.
template <class T>
__device__ void load_left(Fragment& to, const T* at, int stride) {  // stored as A
  const int lane = threadIdx.x % 32;
  load_matrix(to, at + (lane & 15) * stride + (lane >> 4) * 8);
}
template <class T>
__device__ void load_left_t(Fragment& to, const T* at, int stride) {  // stored as A^T
  const int lane = threadIdx.x % 32;
  load_transposed(to, at + ((lane & 7) + (lane >> 4) * 8) * stride + (lane >> 3 & 1) * 8);
}
template <class T>
__device__ void load_right(Fragment& to, const T* at, int stride) {  // stored as B
  const int lane = threadIdx.x % 32;
  load_transposed(to, at + (lane & 15) * stride + (lane >> 4) * 8);
}
template <class T>
__device__ void load_right_t(Fragment& to, const T* at, int stride) {  // stored as B^T
  const int lane = threadIdx.x % 32;
  load_matrix(to, at + ((lane & 7) + (lane >> 4) * 8) * stride + (lane >> 3 & 1) * 8);
}

template <class T>
__device__ void multiply_add(float (&d)[4], const Fragment& a, uint32_t b0, uint32_t b1) {
  if constexpr (std::is_same_v<T, __nv_bfloat16>)
    asm volatile(
        "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, "
        "{%8,%9}, {%0,%1,%2,%3};"
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
  else
    asm volatile(
        "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, "
        "{%8,%9}, {%0,%1,%2,%3};"
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}
/// sum [16 kM, 8 kN] += A B, where A has kK columns. left(to, m, k) loads A's rows 16 m .. at
/// column k, right(to, n, k) B's columns 8 n .. 8 n + 15 at row k.
template <class T, int kK, int kM, int kN, class Left, class Right>
__device__ void add_product(float (&sum)[kM][kN][4], Left&& left, Right&& right) {
#pragma unroll
  for (int k = 0; k < kK; k += 16) {
    Fragment a[kM], b;
#pragma unroll
    for (int m = 0; m < kM; ++m) left(a[m], m, k);
#pragma unroll
    for (int n = 0; n < kN; n += 2) {
      right(b, n, k);
#pragma unroll
      for (int m = 0; m < kM; ++m) {
        multiply_add<T>(sum[m][n], a[m], b[0], b[1]);
        multiply_add<T>(sum[m][n + 1], a[m], b[2], b[3]);
      }
    }
  }
}

__device__ inline uint32_t packed(__nv_bfloat16, float low, float high) {
  const __nv_bfloat162 pair = __floats2bfloat162_rn(low, high);
  return *reinterpret_cast<const uint32_t*>(&pair);
}
__device__ inline uint32_t packed(__half, float low, float high) {
  const __half2 pair = __floats2half2_rn(low, high);
  return *reinterpret_cast<const uint32_t*>(&pair);
}
/// A sum of products [16, 16] (two of 8 columns) as the left factor of the next product.
template <class T>
__device__ void to_left(Fragment& to, const float (&d0)[4], const float (&d1)[4]) {
  to[0] = packed(T(), d0[0], d0[1]);
  to[1] = packed(T(), d0[2], d0[3]);
  to[2] = packed(T(), d1[0], d1[1]);
  to[3] = packed(T(), d1[2], d1[3]);
}

/// Writes sums [16, 8] to rows of `stride` values in shared memory.
template <class T>
__device__ void store_pairs(const float (&sum)[4], T* to, int stride) {
  T* at = to + threadIdx.x % 32 / 4 * stride + threadIdx.x % 4 * 2;
  *reinterpret_cast<uint32_t*>(at) = packed(T(), sum[0], sum[1]);
  *reinterpret_cast<uint32_t*>(at + 8 * stride) = packed(T(), sum[2], sum[3]);
}

/// 16 bytes from global to shared memory, asynchronously; zeros where `valid` does not hold.
__device__ inline void copy_async(void* to, const void* from, bool valid) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(shared_address(to)), "l"(from),
               "r"(valid ? 16 : 0));
}
__device__ inline void commit_copies() { asm volatile("cp.async.commit_group;"); }
template <int kLeft>
__device__ void wait_copies() {
  asm volatile("cp.async.wait_group %0;" ::"n"(kLeft) : "memory");
}

// Activations with an error below the rounding of the half type that they feed.

/// exp(-x^2 / 2) and the normal distribution's integral up to x (Abramowitz and Stegun 7.1.26).
__device__ inline ValueSlope<float> normal_cdf(float x) {
  const float density = __expf(-.5f * x * x), t = __fdividef(1.f, 1.f + .23164189f * fabsf(x));
  const float tail =
      .5f * density * t *
      (.254829592f +
       t * (-.284496736f + t * (1.421413741f + t * (-1.453152027f + t * 1.061405429f))));
  return {x < 0 ? tail : 1 - tail, density};
}

template <class T>
__device__ float fast_tanh(float x) {
  if constexpr (std::is_same_v<T, __half>) return 1.f - __fdividef(2.f, 1.f + __expf(2.f * x));
  float y;
  asm("tanh.approx.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}
/// x (1 + tanh(a x + b x^3)) / 2.
template <class T>
__device__ ValueSlope<float> tanh_gelu(float x, float a, float b) {
  const float square = x * x, half = .5f * x, t = fast_tanh<T>(x * (a + b * square));
  return {half + half * t, .5f + .5f * t + half * (1.f - t * t) * (a + 3.f * b * square)};
}

template <class T, Act kAct>
__device__ ValueSlope<float> fast_act(float x) {
  constexpr bool kRough = std::is_same_v<T, __nv_bfloat16>;
  if constexpr (kAct == Act::GELU && kRough) {
    return tanh_gelu<T>(x, .79991372f, .034973144f);  // least maximal error: 3.4e-4, slope 6.7e-4
  } else if constexpr (kAct == Act::GELU) {
    const auto normal = normal_cdf(x);
    return {x * normal.value, normal.value + x * .39894228f * normal.slope};
  } else if constexpr (kAct == Act::SiLU) {
    const float s = .5f + .5f * fast_tanh<T>(.5f * x);
    return {x * s, s + x * s * (1.f - s)};
  } else if constexpr (kAct == Act::GELUTanh) {
    return tanh_gelu<T>(x, .79788456f, .035677408f);
  } else {
    return act_slope<kAct>(x);
  }
}
/// Calls run(ActTag<A>{}) for the activations of the fused kernels.
template <class Run>
__device__ void with_fast_act(Act act, Run&& run) {
  switch (act) {
    case Act::GELU:
      return run(ActTag<Act::GELU>{});
    case Act::SiLU:
      return run(ActTag<Act::SiLU>{});
    case Act::GELUTanh:
      return run(ActTag<Act::GELUTanh>{});
    default:
      return run(ActTag<Act::ReLU>{});
  }
}

}  // namespace switchyard::kernels
