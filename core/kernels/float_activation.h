#pragma once
// Values and slopes of the activations in float on the CPU, from one exponential without a branch
// or a call: loops over them vectorise. NaN stays NaN.

#include <bit>
#include <cmath>

#include "core/kernels/activation_math.h"
#include "core/kernels/widest_cpu.h"

namespace switchyard::kernels {

/// c[0] + c[1] x + ...
template <size_t kTerms>
SWITCHYARD_INLINE float polynomial(float x, const float (&c)[kTerms]) {
  float y = c[kTerms - 1];
  for (size_t i = kTerms - 1; i > 0; --i) y = y * x + c[i - 1];
  return y;
}

/// e^x = scale * (1 + rest), scale a power of two; 0 and infinity beyond the range of a float.
struct Exponential {
  float scale, rest;

  SWITCHYARD_INLINE explicit Exponential(float x) {
    constexpr float kRound = 12582912;  // 1.5 * 2^23: a sum with it has no fraction
    x = x > 89 ? 89 : x;
    x = x < -88 ? -88 : x;
    const float sum = x * 1.44269504f + kRound, n = sum - kRound;
    const float r = (x - n * .693359375f) + n * 2.12194440e-4f;  // x - n log 2
    rest = r * polynomial(r, {1, 1 / 2.f, 1 / 6.f, 1 / 24.f, 1 / 120.f, 1 / 720.f, 1 / 5040.f});
    scale = std::bit_cast<float>((std::bit_cast<uint32_t>(sum) + 127) << 23);
  }
  SWITCHYARD_INLINE float value() const { return scale * (1 + rest); }
  SWITCHYARD_INLINE float minus_one() const { return scale * rest + (scale - 1); }
};

SWITCHYARD_INLINE float float_sigmoid(float x) { return 1 / (1 + Exponential(-x).value()); }

/// x * sigmoid(s) for an argument s with a slope.
SWITCHYARD_INLINE ValueSlope<float> gated_by_sigmoid(float x, float s, float slope) {
  const float p = float_sigmoid(s);
  return {x * p, p + x * p * (1 - p) * slope};
}

/// x times the normal distribution, Abramowitz and Stegun 26.2.17: error below 7.5e-8.
SWITCHYARD_INLINE ValueSlope<float> float_gelu(float x) {
  const float t = 1 / (1 + .2316419f * std::fabs(x));
  const float density = .39894228f * Exponential(-.5f * x * x).value();
  const float tail =
      density * t *
      polynomial(t, {.319381530f, -.356563782f, 1.781477937f, -1.821255978f, 1.330274429f});
  const float rest = 1 - tail, below = x > 0 ? rest : tail;
  return {x * below, below + x * density};
}

/// x tanh(log(1 + e^x)).
SWITCHYARD_INLINE ValueSlope<float> float_mish(float x) {
  const float n = Exponential(x > 20 ? 20 : x).value(), m = n * (n + 2);
  const float rest = 2 / (m + 2), t = m / (m + 2);  // 1 - t and t
  return {x * t, t + x * (n / (1 + n)) * rest * (1 + t)};
}

SWITCHYARD_INLINE ValueSlope<float> float_elu(float x) {
  const Exponential e(x > 0 ? 0 : x);
  const float value = e.minus_one(), slope = e.value();
  return {x > 0 ? x : value, x > 0 ? 1 : slope};
}

/// As act_slope().
template <Act kAct>
SWITCHYARD_INLINE ValueSlope<float> float_slope(float x) {
  if constexpr (kAct == Act::GELU) return float_gelu(x);
  if constexpr (kAct == Act::SiLU) return gated_by_sigmoid(x, x, 1);
  if constexpr (kAct == Act::GELUTanh) {
    const auto inner = gelu_inner(x);  // (1 + tanh(u)) / 2 = sigmoid(2 u)
    return gated_by_sigmoid(x, 2 * inner.value, 2 * inner.slope);
  }
  if constexpr (kAct == Act::ELU) return float_elu(x);
  if constexpr (kAct == Act::Mish) return float_mish(x);
  if constexpr (kAct == Act::ReLU || kAct == Act::LeakyReLU) return act_slope<kAct>(x);
}

}  // namespace switchyard::kernels
