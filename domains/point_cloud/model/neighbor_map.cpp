#include "domains/point_cloud/model/neighbor_map.h"

#include <ATen/Parallel.h>

#include <array>
#include <bit>
#include <limits>

#include "core/base/random.h"
#include "core/kernels/device_call.h"

namespace switchyard {
namespace {

constexpr int64_t kDenseCells = 1 << 22;
constexpr int64_t kMaxCoordinate = 1 << 20, kMaxDeviceClouds = 1 << 16;

struct Cloud {
  const int64_t* grid;  // first voxel
  int32_t* neighbor;    // its row of the map
  int64_t begin, n, kernel;

  int64_t radius() const { return kernel / 2; }
};

struct Box {
  std::array<int64_t, 3> low, extent;  // a margin of the kernel's radius on every side
  int64_t cells() const { return extent[0] * extent[1] * extent[2]; }
};

Box box_of(const Cloud& cloud) {
  Box box;
  for (size_t a = 0; a < 3; ++a) {
    int64_t low = std::numeric_limits<int64_t>::max(), high = 0;
    for (int64_t i = 0; i < cloud.n; ++i) {
      low = std::min(low, cloud.grid[3 * i + static_cast<int64_t>(a)]);
      high = std::max(high, cloud.grid[3 * i + static_cast<int64_t>(a)]);
    }
    check(low >= 0 && high < kMaxCoordinate, "neighbor_map", "grid coordinates: got ", low, " .. ",
          high, ", expected 0 .. ", kMaxCoordinate - 1);
    box.low[a] = low - cloud.radius();
    box.extent[a] = high - low + 1 + 2 * cloud.radius();
  }
  return box;
}

int64_t cell_of(const Box& box, const int64_t* p) {
  return ((p[0] - box.low[0]) * box.extent[1] + p[1] - box.low[1]) * box.extent[2] + p[2] -
         box.low[2];
}

/// Cell index steps of the window, x slowest.
std::vector<int64_t> window(const Box& box, int64_t kernel) {
  std::vector<int64_t> steps;
  const int64_t r = kernel / 2;
  for (int64_t x = -r; x <= r; ++x) {
    for (int64_t y = -r; y <= r; ++y) {
      for (int64_t z = -r; z <= r; ++z)
        steps.push_back((x * box.extent[1] + y) * box.extent[2] + z);
    }
  }
  return steps;
}

/// Cell -> voxel without collisions between cells: open addressing, at most half full.
class CellHash {
 public:
  explicit CellHash(int64_t n)
      : mask_(std::bit_ceil(static_cast<uint64_t>(2 * n + 2)) - 1),
        cell_(static_cast<size_t>(mask_ + 1), -1),
        voxel_(static_cast<size_t>(mask_ + 1), -1) {}
  void put(int64_t cell, int32_t voxel) {
    const size_t at = slot(cell);
    cell_[at] = cell;
    voxel_[at] = voxel;
  }
  int32_t get(int64_t cell) const { return voxel_[slot(cell)]; }

 private:
  size_t slot(int64_t cell) const {
    uint64_t at = mix64(static_cast<uint64_t>(cell)) & mask_;
    while (cell_[at] != -1 && cell_[at] != cell) at = (at + 1) & mask_;
    return at;
  }
  uint64_t mask_;
  std::vector<int64_t> cell_;
  std::vector<int32_t> voxel_;
};

template <class Find>
void fill(const Cloud& cloud, const Box& box, Find&& find) {
  const auto steps = window(box, cloud.kernel);
  const auto width = static_cast<int64_t>(steps.size());
  at::parallel_for(0, cloud.n, 512, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t cell = cell_of(box, cloud.grid + 3 * i);
      int32_t* row = cloud.neighbor + i * width;
      for (int64_t k = 0; k < width; ++k) row[k] = find(cell + steps[static_cast<size_t>(k)]);
    }
  });
}

void map_cloud(const Cloud& cloud, std::vector<int32_t>& table) {
  if (cloud.n == 0) return;
  const Box box = box_of(cloud);
  const auto voxel = [&](int64_t i) { return static_cast<int32_t>(cloud.begin + i); };
  if (box.cells() <= kDenseCells) {
    table.assign(static_cast<size_t>(box.cells()), -1);
    for (int64_t i = 0; i < cloud.n; ++i)
      table[static_cast<size_t>(cell_of(box, cloud.grid + 3 * i))] = voxel(i);
    return fill(cloud, box, [&](int64_t cell) { return table[static_cast<size_t>(cell)]; });
  }
  CellHash hash(cloud.n);
  for (int64_t i = 0; i < cloud.n; ++i) hash.put(cell_of(box, cloud.grid + 3 * i), voxel(i));
  fill(cloud, box, [&](int64_t cell) { return hash.get(cell); });
}

at::Tensor map_on_device(const at::Tensor& grid, const std::vector<int64_t>& offset,
                         int64_t kernel) {
  check(std::ssize(offset) <= kMaxDeviceClouds, "neighbor_map", "too many clouds: got ",
        offset.size() - 1, ", expected below ", kMaxDeviceClouds);
  const at::Device device = grid.device();
  const auto cells =
      static_cast<int64_t>(std::bit_ceil(static_cast<uint64_t>(2 * grid.size(0) + 2)));
  const auto ends = at::tensor(offset, at::kLong).to(device);
  const auto keys = at::full({cells}, -1, grid.options()),
             rows = at::empty({cells}, grid.options().dtype(at::kInt));
  auto map = at::empty({grid.size(0), kernel * kernel * kernel}, rows.options());
  const kernels::NeighborMap params{grid.const_data_ptr<int64_t>(),
                                    ends.const_data_ptr<int64_t>(),
                                    grid.size(0),
                                    std::ssize(offset) - 1,
                                    kernel,
                                    reinterpret_cast<uint64_t*>(keys.data_ptr<int64_t>()),
                                    rows.data_ptr<int32_t>(),
                                    static_cast<uint64_t>(cells - 1),
                                    map.data_ptr<int32_t>()};
  const c10::DeviceGuard guard(device);
  kernels::neighbor_map_cuda(params, kernels::current_stream(device));
  return map;
}

at::Tensor map_on_cpu(const at::Tensor& grid, const std::vector<int64_t>& offset, int64_t kernel) {
  const int64_t width = kernel * kernel * kernel;
  auto map = at::empty({grid.size(0), width}, at::kInt);
  std::vector<int32_t> table;
  for (size_t b = 0; b + 1 < offset.size(); ++b) {
    map_cloud(
        {grid.const_data_ptr<int64_t>() + 3 * offset[b],
         map.data_ptr<int32_t>() + width * offset[b], offset[b], offset[b + 1] - offset[b], kernel},
        table);
  }
  return map;
}

}  // namespace

at::Tensor neighbor_map(const at::Tensor& grid_N3, const std::vector<int64_t>& offset,
                        int64_t kernel_size) {
  check(kernel_size >= 1 && kernel_size % 2 == 1, "neighbor_map", "kernel size: got ", kernel_size,
        ", expected an odd number");
  check(grid_N3.size(0) < std::numeric_limits<int32_t>::max(), "neighbor_map",
        "too many voxels: got ", grid_N3.size(0));
  const auto grid = grid_N3.contiguous();
  return grid.is_cpu() ? map_on_cpu(grid, offset, kernel_size)
                       : map_on_device(grid, offset, kernel_size);
}

}  // namespace switchyard
