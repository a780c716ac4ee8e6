#include "datasets/point_cloud/grid_sample.h"

#include <cmath>

#include "datasets/point_cloud/points.h"
#include "datasets/point_cloud/transforms/transform.h"

namespace switchyard {
namespace {

struct GridSampleParams {
  double grid_size = .05;
  bool displacement = false;
  static void declare(Fields<GridSampleParams>& f) {
    f.add("grid_size", &GridSampleParams::grid_size, "edge of a voxel, metres", between(1e-4, 1e3));
    f.add("displacement", &GridSampleParams::displacement,
          "also add the key displacement: place in the voxel, from -0.5 to 0.5");
  }
};

class GridSample : public PointTransform {
 public:
  explicit GridSample(const GridSampleParams& params) : params_(params) {}
  void apply(Sample& sample, RandomStream& stream) const override {
    const at::Tensor coord = rows_of(sample, "coord");
    const VoxelGroups groups(coord, params_.grid_size, sample.info.uri);
    const at::Tensor rows = groups.members(groups.draw(stream));
    take_points(sample, rows);
    sample.tensors["grid_coord"] = groups.point_cell().index_select(0, rows);
    if (params_.displacement)
      sample.tensors["displacement"] = groups.displacement(coord, rows).to(coord.scalar_type());
  }

 private:
  GridSampleParams params_;
};

uint64_t cell_key(const int64_t* cell) {
  uint64_t h = 14695981039346656037ull;
  for (int a = 0; a < 3; ++a) h = h * 1099511628211ull ^ static_cast<uint64_t>(cell[a]);
  return h;
}

}  // namespace

VoxelGroups::VoxelGroups(const at::Tensor& coord_N3, double grid_size, const std::string& where)
    : grid_size_(grid_size) {
  read_cells(coord_N3, where);
  group(where);
}

void VoxelGroups::read_cells(const at::Tensor& coord_N3, const std::string& where) {
  constexpr double kMaxCells = 1 << 20;
  visit_rows(coord_N3, [&](const Row3& p, int64_t i) {
    check(std::isfinite(p[0] + p[1] + p[2]), where, "coord is not finite at point ", i);
  });
  const Box box = bounding_box(coord_N3);
  for (size_t a = 0; a < 3; ++a) {
    lowest_[a] = std::floor(box.low[a] / grid_size_);
    const double cells = std::floor(box.high[a] / grid_size_) - lowest_[a] + 1;
    check(cells <= kMaxCells, where, "cloud does not fit the grid: got ", cells,
          " cells along an axis, expected at most ", kMaxCells);
  }
  cell_N3_ = at::empty({coord_N3.size(0), 3}, at::kLong);
  int64_t* cell = cell_N3_.data_ptr<int64_t>();
  visit_rows(coord_N3, [&](const Row3& p, int64_t) {
    for (size_t a = 0; a < 3; ++a)
      *cell++ = static_cast<int64_t>(std::floor(p[a] / grid_size_) - lowest_[a]);
  });
}

void VoxelGroups::group(const std::string& where) {
  const int64_t points = cell_N3_.size(0);
  const int64_t* cell = cell_N3_.const_data_ptr<int64_t>();
  std::vector<std::pair<uint64_t, int64_t>> keyed(static_cast<size_t>(points));
  key_N_ = at::empty({points}, at::kLong);
  inverse_N_ = at::empty({points}, at::kLong);
  for (int64_t i = 0; i < points; ++i) {
    keyed[static_cast<size_t>(i)] = {cell_key(cell + 3 * i), i};
    key_N_.data_ptr<int64_t>()[i] = static_cast<int64_t>(keyed[static_cast<size_t>(i)].first);
  }
  std::sort(keyed.begin(), keyed.end());
  order_.reserve(keyed.size());
  for (const auto& [key, i] : keyed) {
    const bool opens = order_.empty() || key != keyed[order_.size() - 1].first;
    if (opens) begin_.push_back(static_cast<int64_t>(order_.size()));
    const int64_t first = opens ? i : order_[static_cast<size_t>(begin_.back())];
    check(std::equal(cell + 3 * i, cell + 3 * i + 3, cell + 3 * first), where,
          "two voxels have the key ", key, ": points ", first, " and ", i);
    order_.push_back(i);
    inverse_N_.data_ptr<int64_t>()[i] = static_cast<int64_t>(begin_.size()) - 1;
  }
  begin_.push_back(points);
  count_M_ = at::empty({static_cast<int64_t>(begin_.size()) - 1}, at::kLong);
  for (int64_t v = 0; v < size(); ++v) {
    const int64_t count = begin_[static_cast<size_t>(v) + 1] - begin_[static_cast<size_t>(v)];
    count_M_.data_ptr<int64_t>()[v] = count;
    largest_ = std::max(largest_, count);
  }
}

at::Tensor VoxelGroups::members(const at::Tensor& pick_M) const {
  check(pick_M.scalar_type() == at::kLong && pick_M.sizes() == count_M_.sizes(), "grid_sample",
        "picks do not fit: got ", c10::toString(pick_M.scalar_type()), " ",
        to_text(pick_M.sizes().vec()), ", expected Long [", size(), "]");
  const at::Tensor picks = pick_M.contiguous();
  at::Tensor out = at::empty({size()}, at::kLong);
  for (int64_t v = 0; v < size(); ++v) {
    const int64_t begin = begin_[static_cast<size_t>(v)], pick = picks.const_data_ptr<int64_t>()[v];
    check(pick >= 0, "grid_sample", "negative pick at voxel ", v, ": got ", pick);
    const int64_t count = begin_[static_cast<size_t>(v) + 1] - begin;
    out.data_ptr<int64_t>()[v] = order_[static_cast<size_t>(begin + pick % count)];
  }
  return out;
}

at::Tensor VoxelGroups::fragment(int64_t i) const {
  return members(at::full({size()}, i, at::kLong));
}

at::Tensor VoxelGroups::draw(RandomStream& stream) const {
  at::Tensor out = at::empty({size()}, at::kLong);
  for (int64_t v = 0; v < size(); ++v) out.data_ptr<int64_t>()[v] = stream.below(largest_);
  return out;
}

at::Tensor VoxelGroups::displacement(const at::Tensor& coord_N3, const at::Tensor& rows_M) const {
  at::Tensor out = coord_N3.index_select(0, rows_M).to(at::kDouble);
  edit_rows(out, [&](Row3& p, int64_t) {
    for (size_t a = 0; a < 3; ++a) {
      const double place = p[a] / grid_size_;
      p[a] = place - std::floor(place) - .5;
    }
  });
  return out;
}

void register_grid_sample() {
  point_transforms().add<GridSampleParams>(
      "grid_sample", "one random point per voxel; adds grid_coord",
      [](const GridSampleParams& p) { return std::make_unique<GridSample>(p); });
}

}  // namespace switchyard
