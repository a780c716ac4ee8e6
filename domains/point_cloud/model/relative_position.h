#pragma once
// Relative position bias of Pointcept's PT-v3m1 (`enable_rpe`, off in all published models).

#include "core/nn/module.h"

namespace switchyard {

/// Half range B of the bias for patches of K points: (4K)^(1/3) * 2 in double, truncated, so that
/// K = 16 gives 7 and K = 1024 gives 31.
int64_t relative_position_bound(int64_t patch_size);

/// bias(i, j) = sum over the axes a of table[clamp(g_i[a] - g_j[a], -B, B) + B + a (2B + 1)].
/// Published tensor: rpe_table [3 (2B + 1), heads], normal with deviation 0.02.
class RelativePosition : public Module {
 public:
  RelativePosition(int64_t heads, int64_t patch_size);
  /// Grid coordinates of the slots of P patches, [P, L, 3] integers on the device of the table, ->
  /// [P, heads, L, L]. Memory: twelve index bytes per pair of slots are kept for the backward pass.
  at::Tensor forward(const at::Tensor& grid_PL3) const;

 private:
  int64_t bound_;
  at::Tensor& table_MH_;
};

}  // namespace switchyard
