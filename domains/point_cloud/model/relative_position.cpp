#include "domains/point_cloud/model/relative_position.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>

#include <cmath>

namespace switchyard {
namespace {

constexpr int64_t kAxes = 3;
constexpr double kDeviation = 0.02;

}  // namespace

int64_t relative_position_bound(int64_t patch_size) {
  // pow, not cbrt: the published table was sized by a power that falls just short of whole numbers.
  return static_cast<int64_t>(std::pow(4 * static_cast<double>(patch_size), 1. / 3) * 2);
}

RelativePosition::RelativePosition(int64_t heads, int64_t patch_size)
    : bound_(relative_position_bound(patch_size)),
      table_MH_(add_parameter("rpe_table", {kAxes * (2 * bound_ + 1), heads},
                              Init::normal(kDeviation))) {}

at::Tensor RelativePosition::forward(const at::Tensor& grid_PL3) const {
  const auto axis = at::arange(kAxes, grid_PL3.options()) * (2 * bound_ + 1) + bound_;
  const auto row_PLL3 =
      ((grid_PL3.unsqueeze(2) - grid_PL3.unsqueeze(1)).clamp(-bound_, bound_) + axis).to(at::kInt);
  const int64_t patches = grid_PL3.size(0), length = grid_PL3.size(1);
  return table_MH_.index_select(0, row_PLL3.view(-1))
      .view({patches, length, length, kAxes, table_MH_.size(1)})
      .sum(3)
      .permute({0, 3, 1, 2});
}

}  // namespace switchyard
