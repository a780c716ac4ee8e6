#pragma once
// The activations of the fused kernels, for values that are rounded to a half type afterwards.

#include <type_traits>

#include "core/kernels/activation_math.h"
#include "core/kernels/device_math.cuh"

namespace switchyard::kernels {

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
