#include "domains/point_cloud/model/point_level.h"

#include <bit>

#include "core/base/step_timer.h"
#include "core/base/text.h"
#include "domains/point_cloud/model/neighbor_map.h"

namespace switchyard {
namespace {

constexpr char kScope[] = "curves and maps";

Serialization timed_serialize(const at::Tensor& grid_N3, const std::vector<int64_t>& offset,
                              const std::vector<Curve>& curves) {
  TimedScope scope(kScope);
  return serialize(grid_N3, offset, curves);
}

at::Tensor index_tensor(const std::vector<int64_t>& values) {
  return at::tensor(values, at::kLong);
}

/// Cells of a level along curve 0.
struct Cells {
  std::vector<int64_t> first;  // [M+1] positions along the curve
  at::Tensor cluster, member_ML, head_M;
};

Cells find_cells(const Serialization& curves, int shift) {
  const int64_t n = curves.code_RN.size(1);
  const int64_t* code = curves.code_RN.const_data_ptr<int64_t>();
  const int64_t* order = curves.order_RN.const_data_ptr<int64_t>();
  Cells cells{{}, at::empty({n}, at::kLong), {}, {}};
  int64_t* cluster = cells.cluster.data_ptr<int64_t>();
  int64_t longest = 1;
  for (int64_t j = 0; j < n; ++j) {
    const bool starts = j == 0 || code[order[j]] >> shift != code[order[j - 1]] >> shift;
    if (starts) cells.first.push_back(j);
    cluster[order[j]] = static_cast<int64_t>(cells.first.size()) - 1;
    longest = std::max(longest, j + 1 - cells.first.back());
  }
  const auto count = static_cast<int64_t>(cells.first.size());
  cells.first.push_back(n);
  cells.member_ML = at::full({count, longest}, -1, at::kLong);
  int64_t* member = cells.member_ML.data_ptr<int64_t>();
  for (int64_t m = 0; m < count; ++m) {
    const int64_t begin = cells.first[static_cast<size_t>(m)],
                  end = cells.first[static_cast<size_t>(m) + 1];
    std::copy(order + begin, order + end, member + m * longest);
    std::sort(member + m * longest, member + m * longest + (end - begin));
  }
  cells.head_M = cells.member_ML.select(1, 0).contiguous();
  return cells;
}

std::vector<int64_t> cell_offset(const at::Tensor& code_M, int depth, size_t clouds) {
  std::vector<int64_t> offset(clouds + 1, 0);
  const int64_t* code = code_M.const_data_ptr<int64_t>();
  for (int64_t m = 0; m < code_M.size(0); ++m)
    ++offset[static_cast<size_t>(code[m] >> 3 * depth) + 1];
  std::partial_sum(offset.begin(), offset.end(), offset.begin());
  return offset;
}

}  // namespace

PointLevel::PointLevel(at::Tensor grid_N3, at::Tensor coord_N3, std::vector<int64_t> offset,
                       const std::vector<Curve>& curves, const std::vector<int64_t>& rows)
    : grid_(std::move(grid_N3)),
      coord_(std::move(coord_N3)),
      offset_(std::move(offset)),
      curves_(timed_serialize(grid_, offset_, curves)) {
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

const PointLevel::Gather& PointLevel::gather(int64_t row, int64_t patch_size, PatchMode mode) {
  const auto [at, added] = gathers_.try_emplace({row, patch_size, mode});
  if (!added) return at->second;
  TimedScope scope(kScope);
  const auto grouped = group_patches(make_patches(offset_, patch_size, mode));
  const auto order = curves_.order_RN.select(0, row), inverse = curves_.inverse_RN.select(0, row);
  const auto point_of_slot = order.index_select(0, index_tensor(grouped.pad));
  const auto slot_of_point = index_tensor(grouped.unpad).index_select(0, inverse);
  at->second = {grouped.groups, RowIndex(point_of_slot, size(), coord_.device()),
                RowIndex(slot_of_point, point_of_slot.size(0), coord_.device())};
  return at->second;
}

const at::Tensor& PointLevel::neighbors(int64_t kernel_size) {
  TimedScope scope(kScope);
  const auto [at, added] = neighbors_.try_emplace(kernel_size);
  if (added) at->second = neighbor_map(grid_, offset_, kernel_size, coord_.device());
  return at->second;
}

const at::Tensor& PointLevel::device_grid() {
  if (!device_grid_.defined()) device_grid_ = grid_.to(coord_.device());
  return device_grid_;
}

TokenLevel PointLevel::tokens(const at::Tensor& member_of) const {
  const auto device = coord_.device();
  return {index_tensor(offset_).to(device),
          curves_.inverse_RN.select(0, 0).to(device),
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
  const Cells cells = find_cells(from, 3 * m);
  Serialization curves{from.depth - m,
                       from.code_RN.index_select(1, cells.head_M).bitwise_right_shift(3 * m),
                       {},
                       {}};
  auto offset = cell_offset(curves.code_RN.select(0, 0), curves.depth, parent.offset().size() - 1);
  const auto device = parent.coord().device();
  Segments members(cells.member_ML, parent.size(), device);
  auto coord = segment_reduce_rows(parent.coord(), members, Reduction::Mean);
  auto grid = parent.grid().index_select(0, cells.head_M).bitwise_right_shift(m);
  return {std::make_shared<PointLevel>(grid, coord, std::move(offset), std::move(curves), rows),
          RowIndex(cells.cluster, cells.head_M.size(0), device), std::move(members)};
}

}  // namespace switchyard
