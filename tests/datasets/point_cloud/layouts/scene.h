#pragma once
// The small scene that every layout's generator writes, so that each reader can be asked for it
// again.

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>

#include <limits>

#include "tests/datasets/support.h"

namespace switchyard::test {

struct Scene {
  at::Tensor coord;     ///< [N,3] f32, exact in text with four decimals
  at::Tensor color;     ///< [N,3] u8
  at::Tensor normal;    ///< [N,3] f32, unit length
  at::Tensor segment;   ///< [N] i64: 0, 1, 2, -1, 0, ...
  at::Tensor instance;  ///< [N] i64: one for each label, -1 where there is none
};

inline Scene make_scene(int64_t points) {
  const at::Tensor index_N = at::arange(points, at::kLong);
  Scene out;
  out.coord = (at::arange(points * 3, at::kFloat) * 0.0625f - 1.5f).reshape({points, 3});
  out.color = at::arange(points * 3, at::kLong).remainder(256).to(at::kByte).reshape({points, 3});
  out.normal = at::zeros({points, 3});
  if (points > 0) out.normal.select(1, 2).fill_(1);
  const at::Tensor turn_N = index_N.remainder(4);
  out.segment = at::where(turn_N == 3, -1, turn_N);
  out.instance = out.segment.clone();
  return out;
}

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

}  // namespace switchyard::test
