#pragma once

#include <ATen/core/Tensor.h>

#include "core/base/random.h"

namespace switchyard::test {

/// [n, dim] f32 draws of N(mean, deviation^2).
inline at::Tensor normal_features(int64_t n, int64_t dim, uint64_t seed, double mean = 0,
                                  double deviation = 1) {
  RandomStream stream(seed, "features");
  at::Tensor out = at::empty({n, dim}, at::kFloat);
  float* x = out.data_ptr<float>();
  for (int64_t i = 0; i < out.numel(); ++i)
    x[i] = static_cast<float>(stream.normal(mean, deviation));
  return out;
}

}  // namespace switchyard::test
