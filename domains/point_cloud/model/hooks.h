#pragma once

#include <functional>
#include <string>

#include <ATen/core/Tensor.h>

namespace switchyard {

struct PointLevel;

/// Lets parity runs replay stored draws and read intermediate results. All members may be empty.
struct PointHooks {
  /// Row permutation of the orders: draw 0 at the input, draw s in the s-th pooling.
  std::function<std::vector<int64_t>(int64_t draw)> order_permutation;
  /// [N] 0/1 mask of a residual branch ("enc.enc0.block1/attn"); undefined: draw it.
  std::function<at::Tensor(const std::string& branch)> drop_mask;
  /// Features after a part ("enc.enc1.down", "enc.enc0.block0/cpe", ...).
  std::function<void(const std::string& part, const at::Tensor& value)> observe;
  /// Every level when it has been made: 0 = input.
  std::function<void(int64_t depth, const PointLevel& level)> observe_level;

  void see(const std::string& part, const at::Tensor& value) const {
    if (observe) observe(part, value);
  }
};

}  // namespace switchyard
