#include "datasets/point_cloud/scan/neighbor_mean.h"

#include <algorithm>
#include <cstdint>
#include <numeric>

namespace switchyard::scan {
namespace {

constexpr int64_t kOffset = 1 << 20;

class Grid {
 public:
  Grid(const std::vector<Vec3>& points, double cell) : cell_(cell), order_(points.size()) {
    std::vector<int64_t> keys(points.size());
    for (size_t i = 0; i < points.size(); ++i) {
      keys[i] = key(index(points[i].x), index(points[i].y), index(points[i].z));
    }
    std::iota(order_.begin(), order_.end(), 0u);
    std::sort(order_.begin(), order_.end(), [&](uint32_t a, uint32_t b) {
      return keys[a] != keys[b] ? keys[a] < keys[b] : a < b;
    });
    keys_.reserve(points.size());
    for (const uint32_t i : order_) keys_.push_back(keys[i]);
  }

  // Points of the 27 cells around p: 9 runs of 3 cells each.
  void around(const Vec3& p, std::vector<uint32_t>& out) const {
    out.clear();
    const int64_t x = index(p.x), y = index(p.y), z = index(p.z);
    for (int64_t dx = -1; dx <= 1; ++dx) {
      for (int64_t dy = -1; dy <= 1; ++dy) {
        const int64_t first = key(x + dx, y + dy, z - 1);
        auto it = std::lower_bound(keys_.begin(), keys_.end(), first);
        for (; it != keys_.end() && *it <= first + 2; ++it)
          out.push_back(order_[it - keys_.begin()]);
      }
    }
  }

 private:
  int64_t index(double v) const {
    return std::clamp(int64_t(std::floor(v / cell_)) + kOffset, int64_t{1}, 2 * kOffset - 2);
  }
  static int64_t key(int64_t x, int64_t y, int64_t z) { return (x << 42) + (y << 21) + z; }

  double cell_;
  std::vector<uint32_t> order_;
  std::vector<int64_t> keys_;
};

}  // namespace

std::vector<Vec3> neighbor_mean(const std::vector<Vec3>& points, int count, double radius) {
  const Grid grid(points, 2 * radius);
  std::vector<Vec3> out;
  std::vector<uint32_t> near;
  std::vector<std::pair<double, uint32_t>> by_distance;
  for (const Vec3& p : points) {
    grid.around(p, near);
    by_distance.clear();
    for (const uint32_t i : near) {
      const double squared = dot(points[i] - p, points[i] - p);
      if (squared <= 4 * radius * radius) by_distance.push_back({squared, i});
    }
    const size_t kept = std::min(by_distance.size(), size_t(count));
    std::partial_sort(by_distance.begin(), by_distance.begin() + int64_t(kept), by_distance.end());
    Vec3 sum;
    double total = 0;
    for (size_t k = 0; k < kept; ++k) {
      const double weight = std::exp(-by_distance[k].first / (radius * radius));
      sum = sum + weight * points[by_distance[k].second];
      total += weight;
    }
    out.push_back((1 / total) * sum);
  }
  return out;
}

}  // namespace switchyard::scan
