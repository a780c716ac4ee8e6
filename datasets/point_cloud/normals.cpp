#include "datasets/point_cloud/normals.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/base/random.h"

namespace switchyard {
namespace {

using Vec3 = std::array<double, 3>;

Vec3 cross(const Vec3& a, const Vec3& b) {
  return {a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]};
}
double dot(const Vec3& a, const Vec3& b) { return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]; }

/// Count, sum and second moments of the points of a cell, relative to a common origin.
struct Moments {
  double n = 0;
  Vec3 sum{};
  std::array<double, 6> square{};

  void add(const Vec3& p) {
    n += 1;
    for (size_t a = 0; a < 3; ++a) sum[a] += p[a];
    const double products[6] = {p[0] * p[0], p[0] * p[1], p[0] * p[2],
                                p[1] * p[1], p[1] * p[2], p[2] * p[2]};
    for (size_t i = 0; i < 6; ++i) square[i] += products[i];
  }
  void add(const Moments& other) {
    n += other.n;
    for (size_t a = 0; a < 3; ++a) sum[a] += other.sum[a];
    for (size_t i = 0; i < 6; ++i) square[i] += other.square[i];
  }
  std::array<double, 6> covariance() const {
    const Vec3 m = {sum[0] / n, sum[1] / n, sum[2] / n};
    return {square[0] / n - m[0] * m[0], square[1] / n - m[0] * m[1], square[2] / n - m[0] * m[2],
            square[3] / n - m[1] * m[1], square[4] / n - m[1] * m[2], square[5] / n - m[2] * m[2]};
  }
};

uint64_t pack(const std::array<int64_t, 3>& c) {
  return static_cast<uint64_t>(c[0]) << 42 | static_cast<uint64_t>(c[1]) << 21 |
         static_cast<uint64_t>(c[2]);
}

/// Open-addressing map from packed cell to its index.
class CellIndex {
 public:
  explicit CellIndex(const std::vector<std::array<int64_t, 3>>& cells) {
    size_t size = 16;
    while (size < 2 * cells.size()) size *= 2;
    mask_ = size - 1;
    slots_.assign(size, {0, -1});
    for (size_t v = 0; v < cells.size(); ++v) {
      size_t slot = mix64(pack(cells[v])) & mask_;
      while (slots_[slot].second >= 0) slot = (slot + 1) & mask_;
      slots_[slot] = {pack(cells[v]), static_cast<int64_t>(v)};
    }
  }
  int64_t find(const std::array<int64_t, 3>& cell) const {
    const uint64_t key = pack(cell);
    for (size_t slot = mix64(key) & mask_; slots_[slot].second >= 0; slot = (slot + 1) & mask_) {
      if (slots_[slot].first == key) return slots_[slot].second;
    }
    return -1;
  }

 private:
  std::vector<std::pair<uint64_t, int64_t>> slots_;
  size_t mask_;
};

}  // namespace

std::array<double, 3> smallest_eigenvector(const std::array<double, 6>& m) {
  const double mean = (m[0] + m[3] + m[5]) / 3;
  const double off = m[1] * m[1] + m[2] * m[2] + m[4] * m[4];
  const double a = m[0] - mean, b = m[3] - mean, c = m[5] - mean;
  const double p = std::sqrt((a * a + b * b + c * c + 2 * off) / 6);
  if (!(p > 1e-12 * std::abs(mean)) || p == 0) return {0, 0, 1};
  // Closed form of the eigenvalues of a symmetric 3x3 matrix by the trigonometric method.
  const double det =
      a * (b * c - m[4] * m[4]) - m[1] * (m[1] * c - m[4] * m[2]) + m[2] * (m[1] * m[4] - b * m[2]);
  const double r = std::clamp(det / (2 * p * p * p), -1.0, 1.0);
  const double lowest = mean + 2 * p * std::cos(std::acos(r) / 3 + 2 * std::numbers::pi / 3);
  const Vec3 rows[3] = {
      {m[0] - lowest, m[1], m[2]}, {m[1], m[3] - lowest, m[4]}, {m[2], m[4], m[5] - lowest}};
  Vec3 best{};
  for (const auto& [i, j] : {std::pair(0, 1), std::pair(0, 2), std::pair(1, 2)}) {
    const Vec3 candidate = cross(rows[i], rows[j]);
    if (dot(candidate, candidate) > dot(best, best)) best = candidate;
  }
  const double norm = std::sqrt(dot(best, best));
  if (!(norm >
        1e-12 * p * p)) {  // the two lowest coincide (points on a line): any normal of the line
    const Vec3& row = dot(rows[0], rows[0]) >= dot(rows[1], rows[1]) ? rows[0] : rows[1];
    best = cross(row, std::abs(row[2]) < std::abs(row[0]) ? Vec3{0, 0, 1} : Vec3{1, 0, 0});
  }
  const double length = std::sqrt(dot(best, best));
  if (!(length > 0)) return {0, 0, 1};
  return {best[0] / length, best[1] / length, best[2] / length};
}

std::vector<std::array<double, 3>> estimate_normals(
    const std::vector<std::array<double, 3>>& points, const std::vector<size_t>& order,
    const std::vector<size_t>& begin, const std::vector<std::array<int64_t, 3>>& cells,
    const std::vector<size_t>& kept) {
  if (points.empty()) return {};
  std::vector<Moments> moments(cells.size());
  const Vec3 origin = points.front();
  for (size_t v = 0; v < cells.size(); ++v) {
    for (size_t j = begin[v]; j < begin[v + 1]; ++j) {
      const Vec3& p = points[order[j]];
      moments[v].add(Vec3{p[0] - origin[0], p[1] - origin[1], p[2] - origin[2]});
    }
  }
  const CellIndex index(cells);
  std::vector<Vec3> normals;
  normals.reserve(kept.size());
  for (size_t v : kept) {
    Moments sum;
    for (int64_t n = 0; n < 27; ++n) {
      const std::array<int64_t, 3> cell = {cells[v][0] + n / 9 - 1, cells[v][1] + n / 3 % 3 - 1,
                                           cells[v][2] + n % 3 - 1};
      if (cell[0] < 0 || cell[1] < 0 || cell[2] < 0) continue;
      if (const int64_t found = index.find(cell); found >= 0)
        sum.add(moments[static_cast<size_t>(found)]);
    }
    normals.push_back(smallest_eigenvector(sum.covariance()));
  }
  return normals;
}

}  // namespace switchyard
