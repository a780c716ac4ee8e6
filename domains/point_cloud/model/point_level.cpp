#include "domains/point_cloud/model/point_level.h"

#include <ATen/ops/ones.h>
#include <ATen/ops/searchsorted.h>
#include <ATen/ops/unique_consecutive.h>

#include <bit>

#include "core/base/step_timer.h"
#include "core/base/text.h"
#include "domains/point_cloud/model/neighbor_map.h"

namespace switchyard {
namespace {

constexpr char kScope[] = "curves and maps";

Serialization timed_serialize(const at::Tensor& grid_N3, const std::vector<int64_t>& offset,
                              const std::vector<Curve>& curves, at::Device device) {
  TimedScope scope(kScope);
  return serialize(grid_N3.to(device), offset, curves, curve_depth(grid_N3));
}

at::Tensor index_tensor(const std::vector<int64_t>& values, at::Device device) {
  return at::tensor(values, at::kLong).to(device);
}

/// Cells of a level, numbered along curve 0.
struct Cells {
  at::Tensor code_M;            // of curve 0
  RowIndex cluster;             // [N] cell of each voxel
  at::Tensor member_ML;         // voxels of each cell, rising, -1 behind the last
  std::vector<int64_t> offset;  // [B+1]
};

/// [M, L]: the entries of every row of `index`, rising.
at::Tensor entries_by_row(const RowIndex& index, int64_t longest) {
  const auto row = index.index().index_select(0, index.position());
  const auto within = at::arange(row.size(0), row.options()) - index.offset().index_select(0, row);
  return at::full({index.rows() * longest}, -1, row.options())
      .scatter_(0, row * longest + within, index.position())
      .view({index.rows(), longest});
}

/// Waits for the device once: how many cells there are decides the shapes of the next level.
Cells find_cells(const Serialization& curves, int shift, int64_t clouds) {
  const auto order_N = curves.order_RN.select(0, 0);
  const auto along_N = curves.code_RN.select(0, 0).index_select(0, order_N);
  const auto [code_M, cell_N, count_M] = at::unique_consecutive(
      along_N.bitwise_right_shift(shift), /*return_inverse=*/true, /*return_counts=*/true);
  const auto cloud_M = code_M.bitwise_right_shift(3 * curves.depth - shift);
  const auto offset_B1 = at::searchsorted(cloud_M, at::arange(clouds + 1, cloud_M.options()));
  const auto longest = at::cat({count_M, at::ones({1}, count_M.options())}).max();
  const auto sizes = at::cat({offset_B1, longest.view({1})}).cpu();
  const int64_t* size = sizes.const_data_ptr<int64_t>();
  Cells cells{code_M,
              RowIndex(at::empty_like(cell_N).scatter_(0, order_N, cell_N), code_M.size(0),
                       cell_N.device()),
              {},
              {size, size + clouds + 1}};
  cells.member_ML = entries_by_row(cells.cluster, size[clouds + 1]);
  return cells;
}

}  // namespace

PointLevel::PointLevel(at::Tensor grid_N3, at::Tensor coord_N3, std::vector<int64_t> offset,
                       const std::vector<Curve>& curves, const std::vector<int64_t>& rows)
    : grid_(grid_N3.to(coord_N3.device())),
      coord_(std::move(coord_N3)),
      offset_(std::move(offset)),
      curves_(timed_serialize(grid_N3, offset_, curves, coord_.device())) {
  if (!rows.empty()) permute_rows(curves_, rows);
}

PointLevel::PointLevel(at::Tensor grid_N3, at::Tensor coord_N3, std::vector<int64_t> offset,
                       Serialization curves, const std::vector<int64_t>& rows)
    : grid_(std::move(grid_N3)),
      coord_(std::move(coord_N3)),
      offset_(std::move(offset)),
      curves_(std::move(curves)) {
  sort_codes(curves_);
  if (!rows.empty()) permute_rows(curves_, rows);
}

const PointLevel::Slots& PointLevel::slots(int64_t patch_size, PatchMode mode) {
  const auto [at, added] = slots_.try_emplace({patch_size, mode});
  if (!added) return at->second;
  const auto grouped = group_patches(make_patches(offset_, patch_size, mode));
  const auto device = coord_.device();
  at->second = {grouped.groups, index_tensor(grouped.pad, device),
                index_tensor(grouped.unpad, device)};
  return at->second;
}

const PointLevel::Gather& PointLevel::gather(int64_t row, int64_t patch_size, PatchMode mode) {
  const auto [at, added] = gathers_.try_emplace({row, patch_size, mode});
  if (!added) return at->second;
  TimedScope scope(kScope);
  const Slots& of = slots(patch_size, mode);
  const auto order = curves_.order_RN.select(0, row), inverse = curves_.inverse_RN.select(0, row);
  at->second = {of.groups, RowIndex(order.index_select(0, of.pad), size(), coord_.device()),
                RowIndex(of.unpad.index_select(0, inverse), of.pad.size(0), coord_.device())};
  return at->second;
}

const at::Tensor& PointLevel::neighbors(int64_t kernel_size) {
  TimedScope scope(kScope);
  const auto [at, added] = neighbors_.try_emplace(kernel_size);
  if (added) at->second = neighbor_map(grid_, offset_, kernel_size);
  return at->second;
}

TokenLevel PointLevel::tokens(const at::Tensor& member_of) const {
  return {index_tensor(offset_, coord_.device()),
          curves_.inverse_RN.select(0, 0),
          coord_,
          {},
          member_of};
}

PooledLevel pool_level(const PointLevel& parent, int64_t stride, const std::vector<int64_t>& rows) {
  check(stride >= 1 && std::has_single_bit(static_cast<uint64_t>(stride)), "pool_level",
        "stride: got ", stride, ", expected a power of two");
  TimedScope scope(kScope);
  const Serialization& from = parent.curves();
  int m = std::countr_zero(static_cast<uint64_t>(stride));
  if (m > from.depth) m = 0;
  Cells cells = find_cells(from, 3 * m, std::ssize(parent.offset()) - 1);
  const auto head_M = cells.member_ML.select(1, 0).contiguous();
  Serialization curves{
      from.depth - m, from.code_RN.index_select(1, head_M).bitwise_right_shift(3 * m), {}, {}};
  Segments members(cells.member_ML, parent.size(), head_M.device());
  auto coord = segment_reduce_rows(parent.coord(), members, Reduction::Mean);
  auto grid = parent.grid().index_select(0, head_M).bitwise_right_shift(m);
  return {
      std::make_shared<PointLevel>(grid, coord, std::move(cells.offset), std::move(curves), rows),
      std::move(cells.cluster), std::move(members)};
}

}  // namespace switchyard
