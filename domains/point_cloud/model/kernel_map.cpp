#include "domains/point_cloud/model/kernel_map.h"

#include <array>
#include <limits>

#include "core/base/random.h"

namespace switchyard {
namespace {

using Cell = std::array<int64_t, 4>;  // cloud, x, y, z

/// Row of a voxel by cell: a dense table over the bounding box with a margin of `pad` cells.
class DenseIndex {
 public:
  static constexpr int64_t kMaxCells = int64_t{1} << 24;

  DenseIndex(const std::vector<Cell>& cells, const Cell& extent, int64_t pad) : extent_(extent), pad_(pad) {
    table_.assign(static_cast<size_t>(cells_in(extent, pad)), -1);
    for (size_t i = 0; i < cells.size(); ++i) table_[static_cast<size_t>(at(cells[i]))] = static_cast<int32_t>(i);
  }
  static int64_t cells_in(const Cell& extent, int64_t pad) {
    return extent[0] * (extent[1] + 2 * pad) * (extent[2] + 2 * pad) * (extent[3] + 2 * pad);
  }
  int32_t find(const Cell& c) const { return table_[static_cast<size_t>(at(c))]; }

 private:
  int64_t at(const Cell& c) const {
    return ((c[0] * (extent_[1] + 2 * pad_) + c[1] + pad_) * (extent_[2] + 2 * pad_) + c[2] + pad_) *
               (extent_[3] + 2 * pad_) + c[3] + pad_;
  }
  Cell extent_;
  int64_t pad_;
  std::vector<int32_t> table_;
};

/// The same by open addressing, for scenes whose bounding box is mostly empty.
class HashIndex {
 public:
  explicit HashIndex(const std::vector<Cell>& cells) {
    size_t size = 16;
    while (size < 2 * cells.size()) size *= 2;
    slots_.assign(size, {0, -1});
    for (size_t i = 0; i < cells.size(); ++i) {
      size_t slot = first_slot(key(cells[i]));
      while (slots_[slot].second >= 0) slot = (slot + 1) & (slots_.size() - 1);
      slots_[slot] = {key(cells[i]), static_cast<int32_t>(i)};
    }
  }
  int32_t find(const Cell& c) const {
    if (c[1] < 0 || c[2] < 0 || c[3] < 0) return -1;
    const uint64_t wanted = key(c);
    for (size_t slot = first_slot(wanted); slots_[slot].second >= 0; slot = (slot + 1) & (slots_.size() - 1)) {
      if (slots_[slot].first == wanted) return slots_[slot].second;
    }
    return -1;
  }

 private:
  static uint64_t key(const Cell& c) {
    return mix64(static_cast<uint64_t>(c[0])) ^ (static_cast<uint64_t>(c[1]) << 42 | static_cast<uint64_t>(c[2]) << 21 | static_cast<uint64_t>(c[3]));
  }
  size_t first_slot(uint64_t k) const { return mix64(k) & (slots_.size() - 1); }
  std::vector<std::pair<uint64_t, int32_t>> slots_;
};

template <class Index>
void fill(const Index& index, const std::vector<Cell>& cells, int64_t k, int32_t* out) {
  const int64_t half = k / 2;
  for (const Cell& c : cells) {
    for (int64_t i = -half; i <= half; ++i) {
      for (int64_t j = -half; j <= half; ++j) {
        for (int64_t l = -half; l <= half; ++l) *out++ = index.find({c[0], c[1] + i, c[2] + j, c[3] + l});
      }
    }
  }
}

}  // namespace

at::Tensor build_kernel_map(const at::Tensor& grid_coord_N3, const at::Tensor& batch_N, int64_t k) {
  check(k % 2 == 1, "build_kernel_map", "kernel size must be odd: got ", k);
  const at::Tensor grid = grid_coord_N3.contiguous(), batch = batch_N.contiguous();
  const int64_t count = grid.size(0);
  check(count < std::numeric_limits<int32_t>::max(), "build_kernel_map", "too many voxels: got ", count);
  std::vector<Cell> cells(static_cast<size_t>(count));
  Cell extent{};
  const int64_t *g = grid.data_ptr<int64_t>(), *b = batch.data_ptr<int64_t>();
  for (int64_t i = 0; i < count; ++i) {
    cells[size_t(i)] = {b[i], g[3 * i], g[3 * i + 1], g[3 * i + 2]};
    for (size_t a = 0; a < 4; ++a) {
      const int64_t value = cells[size_t(i)][a];
      check(value >= 0 && value < int64_t{1} << 19, "build_kernel_map", "coordinate out of range: got ", value,
            ", expected 0 to 524287");
      extent[a] = std::max(extent[a], value + 1);
    }
  }
  at::Tensor out = at::empty({count, k * k * k}, at::kInt);
  const double volume = double(extent[0]) * double(extent[1] + k) * double(extent[2] + k) * double(extent[3] + k);
  if (volume < double(DenseIndex::kMaxCells)) fill(DenseIndex(cells, extent, k / 2), cells, k, out.data_ptr<int32_t>());
  else fill(HashIndex(cells), cells, k, out.data_ptr<int32_t>());
  return out;
}

}  // namespace switchyard
