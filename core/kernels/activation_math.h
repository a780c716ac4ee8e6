#pragma once
// Values and slopes of the activations, for CPU and CUDA. `T` is the arithmetic type: float,
// double.

#include <cmath>

#include "core/kernels/launch.h"

namespace switchyard::kernels {

// The overloads of the arithmetic type; plain exp(float) would compute in double on the host.
using std::erf, std::exp, std::expm1, std::log1p, std::tanh;

template <class T>
struct ValueSlope {
  T value, slope;
};

template <class T>
SWITCHYARD_BOTH T sigmoid(T x) {
  return T(1) / (T(1) + exp(-x));
}
template <class T>
SWITCHYARD_BOTH T softplus(T x) {
  return x > T(20) ? x : log1p(exp(x));
}

/// Argument of the tanh in the approximated GELU, and its slope.
template <class T>
SWITCHYARD_BOTH ValueSlope<T> gelu_inner(T x) {
  constexpr T a = T(0.79788456080286535588), b = T(0.044715);  // sqrt(2 / pi)
  return {a * (x + b * x * x * x), a * (T(1) + T(3) * b * x * x)};
}

template <Act kAct, class T>
SWITCHYARD_BOTH T act_value(T x) {
  if constexpr (kAct == Act::ReLU) return x > T(0) ? x : T(0);
  if constexpr (kAct == Act::GELU) return T(0.5) * x * (T(1) + erf(x * T(0.70710678118654752440)));
  if constexpr (kAct == Act::SiLU) return x * sigmoid(x);
  if constexpr (kAct == Act::ELU) return x > T(0) ? x : expm1(x);
  if constexpr (kAct == Act::Mish) return x * tanh(softplus(x));
  if constexpr (kAct == Act::LeakyReLU) return x > T(0) ? x : T(0.01) * x;
  if constexpr (kAct == Act::GELUTanh) return T(0.5) * x * (T(1) + tanh(gelu_inner(x).value));
}

template <Act kAct, class T>
SWITCHYARD_BOTH ValueSlope<T> act_slope(T x) {
  if constexpr (kAct == Act::ReLU) return {x > T(0) ? x : T(0), x > T(0) ? T(1) : T(0)};
  if constexpr (kAct == Act::GELU) {
    const T cdf = T(0.5) * (T(1) + erf(x * T(0.70710678118654752440)));
    return {x * cdf, cdf + x * T(0.39894228040143267794) * exp(T(-0.5) * x * x)};
  }
  if constexpr (kAct == Act::SiLU) {
    const T s = sigmoid(x);
    return {x * s, s * (T(1) + x * (T(1) - s))};
  }
  if constexpr (kAct == Act::ELU) return {x > T(0) ? x : expm1(x), x > T(0) ? T(1) : exp(x)};
  if constexpr (kAct == Act::Mish) {
    const T t = tanh(softplus(x));
    return {x * t, t + x * sigmoid(x) * (T(1) - t * t)};
  }
  if constexpr (kAct == Act::LeakyReLU)
    return {x > T(0) ? x : T(0.01) * x, x > T(0) ? T(1) : T(0.01)};
  if constexpr (kAct == Act::GELUTanh) {
    const auto inner = gelu_inner(x);
    const T t = tanh(inner.value), half = T(0.5) * (T(1) + t);
    return {x * half, half + T(0.5) * x * (T(1) - t * t) * inner.slope};
  }
}

/// Calls run(std::integral_constant<Act, A>) for the run-time value.
template <Act kAct>
struct ActTag {
  static constexpr Act value = kAct;
};
template <class Run>
void with_act(Act act, Run&& run) {
  switch (act) {
    case Act::ReLU:
      return run(ActTag<Act::ReLU>{});
    case Act::GELU:
      return run(ActTag<Act::GELU>{});
    case Act::SiLU:
      return run(ActTag<Act::SiLU>{});
    case Act::ELU:
      return run(ActTag<Act::ELU>{});
    case Act::Mish:
      return run(ActTag<Act::Mish>{});
    case Act::LeakyReLU:
      return run(ActTag<Act::LeakyReLU>{});
    case Act::GELUTanh:
      return run(ActTag<Act::GELUTanh>{});
  }
}

}  // namespace switchyard::kernels
