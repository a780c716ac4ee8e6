#include "datasets/point_cloud/voxelize.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>

#include <array>
#include <cmath>
#include <numbers>

#include "datasets/point_cloud/normals.h"

namespace switchyard {
namespace {

using Vec3 = std::array<double, 3>;

/// A scan as plain arrays, copied so that augmentation can move it.
struct Points {
  std::vector<Vec3> coord, origin;
  std::vector<float> reflectance;
  std::vector<int64_t> segment;
  size_t size() const { return coord.size(); }
};

std::vector<Vec3> read_coords(const Sample& scan, const std::string& key) {
  const at::Tensor& tensor = scan.tensors.at(key);
  check(tensor.dim() == 2 && tensor.size(1) == 3, scan.info.uri, key, " has a wrong shape: got ",
        to_text(tensor.sizes().vec()), ", expected [N, 3]");
  const at::Tensor values = tensor.to(at::kDouble).contiguous();
  const double* data = values.data_ptr<double>();
  std::vector<Vec3> out(static_cast<size_t>(tensor.size(0)));
  for (size_t i = 0; i < out.size(); ++i) {
    for (size_t a = 0; a < 3; ++a) out[i][a] = data[3 * i + a];
    check(std::isfinite(out[i][0] + out[i][1] + out[i][2]), scan.info.uri, key,
          " is not finite at point ", i);
  }
  return out;
}

/// Intensity, or the luminance of the colour where the sensor measures none, or zeros.
std::vector<float> raw_reflectance(const Sample& scan, size_t count) {
  const auto found = scan.tensors.find("intensity");
  if (found != scan.tensors.end()) {
    const at::Tensor values = found->second.to(at::kFloat).contiguous();
    return {values.data_ptr<float>(), values.data_ptr<float>() + values.numel()};
  }
  std::vector<float> out(count, 0.f);
  const auto color = scan.tensors.find("color");
  if (color == scan.tensors.end()) return out;
  const at::Tensor values = color->second.to(at::kFloat).contiguous();
  const float* rgb = values.data_ptr<float>();
  for (size_t i = 0; i < count; ++i)
    out[i] = .3f * rgb[3 * i] + .59f * rgb[3 * i + 1] + .11f * rgb[3 * i + 2];
  return out;
}

/// Stands in for unknown sensor positions: normals then point upwards.
std::vector<Vec3> above(std::vector<Vec3> coord) {
  for (Vec3& p : coord) p[2] += 1;
  return coord;
}

Points read_points(const Sample& scan) {
  check(scan.tensors.count("coord") > 0, scan.info.uri, "scan has no coord");
  Points points;
  points.coord = read_coords(scan, "coord");
  const size_t count = points.size();
  points.origin = scan.tensors.count("origin") ? read_coords(scan, "origin") : above(points.coord);
  points.reflectance = rank_normalized(raw_reflectance(scan, count));
  points.segment.assign(count, -1);
  if (const auto found = scan.tensors.find("segment"); found != scan.tensors.end()) {
    const at::Tensor labels = found->second.to(at::kLong).contiguous();
    points.segment.assign(labels.data_ptr<int64_t>(), labels.data_ptr<int64_t>() + labels.numel());
  }
  for (size_t n : {points.origin.size(), points.reflectance.size(), points.segment.size()}) {
    check(n == count, scan.info.uri, "arrays differ in length: got ", n, ", expected ", count);
  }
  return points;
}

double quantile(std::vector<double> values, double q) {
  const auto position = static_cast<size_t>(q * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(position),
                   values.end());
  return values[position];
}

/// Height of the ground: the 1 % quantile indoors; outdoors, where outliers lie below the ground,
/// the mode of a histogram with 5 cm bins on [-4, 1].
double floor_height(const Points& points, const std::string& rule) {
  std::vector<double> z;
  for (const auto& p : points.coord) z.push_back(p[2]);
  if (rule == "quantile") return quantile(std::move(z), .01);
  std::array<int64_t, 100> bins{};
  for (double value : z) {
    if (value >= -4 && value < 1) ++bins[static_cast<size_t>((value + 4) / .05)];
  }
  return -4 + .05 * (.5 + static_cast<double>(std::max_element(bins.begin(), bins.end()) -
                                              bins.begin()));
}

void augment(Points& points, const VoxelParams& params, RandomStream& stream) {
  const double angle = params.rotate ? stream.uniform(0, 2 * std::numbers::pi) : 0;
  const double flip = params.mirror && stream.chance(.5) ? -1 : 1;
  const double scale = stream.uniform(params.scale_low, params.scale_high);
  const double c = std::cos(angle) * scale, s = std::sin(angle) * scale;
  for (auto* list : {&points.coord, &points.origin}) {
    for (auto& p : *list) p = {flip * (c * p[0] - s * p[1]), s * p[0] + c * p[1], scale * p[2]};
  }
}

/// Points grouped by cell: `order` lists points cell by cell, `begin` has one entry more than
/// cells.
struct Cells {
  std::vector<std::array<int64_t, 3>> coord;
  std::vector<size_t> order, begin;
  size_t size() const { return coord.size(); }
};

Cells group_by_cell(const Points& points, double grid, const std::string& uri) {
  constexpr int64_t kMaxExtent = int64_t{1} << 20;
  const size_t count = points.size();
  std::vector<std::array<int64_t, 3>> cell(count);
  std::array<int64_t, 3> low, high;
  low.fill(std::numeric_limits<int64_t>::max());
  high.fill(std::numeric_limits<int64_t>::min());
  for (size_t i = 0; i < count; ++i) {
    for (size_t a = 0; a < 3; ++a) {
      const double value = std::floor(points.coord[i][a] / grid);
      check(std::abs(value) < 0x1p52, uri, "coordinate is too large: got ", points.coord[i][a],
            " m");
      cell[i][a] = static_cast<int64_t>(value);
      low[a] = std::min(low[a], cell[i][a]);
      high[a] = std::max(high[a], cell[i][a]);
    }
  }
  std::vector<std::pair<uint64_t, size_t>> keyed(count);
  for (size_t a = 0; a < 3 && count > 0; ++a) {
    check(high[a] - low[a] < kMaxExtent, uri, "scan is too large for the grid: got ",
          high[a] - low[a], " cells, expected at most ", kMaxExtent);
  }
  for (size_t i = 0; i < count; ++i) {
    uint64_t key = 0;
    for (size_t a = 0; a < 3; ++a) key = key << 20 | static_cast<uint64_t>(cell[i][a] - low[a]);
    keyed[i] = {key, i};
  }
  std::sort(keyed.begin(), keyed.end());
  Cells out;
  for (size_t j = 0; j < count; ++j) {
    const size_t i = keyed[j].second;
    if (j == 0 || keyed[j].first != keyed[j - 1].first) {
      out.begin.push_back(j);
      out.coord.push_back({cell[i][0] - low[0], cell[i][1] - low[1], cell[i][2] - low[2]});
    }
    out.order.push_back(i);
  }
  out.begin.push_back(count);
  return out;
}

/// The `count` cells nearest to a random one, in rising cell order.
std::vector<size_t> crop(const Cells& cells, int64_t count, RandomStream& stream) {
  std::vector<size_t> kept(cells.size());
  std::iota(kept.begin(), kept.end(), size_t{0});
  if (kept.size() <= static_cast<size_t>(count)) return kept;
  const auto& centre =
      cells.coord[static_cast<size_t>(stream.below(static_cast<int64_t>(cells.size())))];
  std::vector<int64_t> distance(cells.size());
  for (size_t v = 0; v < cells.size(); ++v) {
    const auto& c = cells.coord[v];
    const int64_t dx = c[0] - centre[0], dy = c[1] - centre[1], dz = c[2] - centre[2];
    distance[v] = 4 * (dx * dx + dy * dy) + dz * dz;
  }
  std::nth_element(kept.begin(), kept.begin() + count, kept.end(), [&](size_t a, size_t b) {
    return std::pair(distance[a], a) < std::pair(distance[b], b);
  });
  kept.resize(static_cast<size_t>(count));
  std::sort(kept.begin(), kept.end());
  return kept;
}

/// Writes the features of one voxel after another.
class FeatureWriter {
 public:
  FeatureWriter(const VoxelParams& params, double floor, float* out)
      : params_(params), floor_(floor), out_(out) {}

  void write(const Points& points, size_t member, const Vec3& normal) {
    for (const auto& channel : params_.channels) {
      if (channel == "z") {
        *out_++ = static_cast<float>((points.coord[member][2] - floor_) / params_.height_scale - 1);
      } else if (channel == "normal") {
        for (double n : normal) *out_++ = static_cast<float>(n);
      } else {
        *out_++ = points.reflectance[member];
      }
    }
  }

 private:
  const VoxelParams& params_;
  double floor_;
  float* out_;
};

/// A random member of every cell.
std::vector<size_t> draw_members(const Cells& cells, RandomStream& stream) {
  std::vector<size_t> member(cells.size());
  for (size_t v = 0; v < cells.size(); ++v) {
    const auto n = static_cast<int64_t>(cells.begin[v + 1] - cells.begin[v]);
    member[v] = cells.order[cells.begin[v] + static_cast<size_t>(stream.below(n))];
  }
  return member;
}

std::vector<size_t> all_of(const Cells& cells) {
  std::vector<size_t> all(cells.size());
  std::iota(all.begin(), all.end(), size_t{0});
  return all;
}

std::vector<Vec3> normals_of(const Points& points, const Cells& cells,
                             const std::vector<size_t>& kept) {
  return estimate_normals(points.coord, cells.order, cells.begin, cells.coord, kept);
}

/// `member`: point of every cell; `normals`: of the kept cells, sign arbitrary.
VoxelCloud build(const Points& points, const Cells& cells, const std::vector<size_t>& kept,
                 const std::vector<size_t>& member, const std::vector<Vec3>& normals,
                 const VoxelParams& params) {
  const auto count = static_cast<int64_t>(kept.size());
  VoxelCloud out{at::empty({count, 3}, at::kLong),
                 at::empty({count, 3}, at::kFloat),
                 at::empty({count, params.width()}, at::kFloat),
                 at::empty({count}, at::kLong),
                 {}};
  FeatureWriter features(params, points.size() ? floor_height(points, params.floor) : 0,
                         out.feat.data_ptr<float>());
  for (size_t i = 0; i < kept.size(); ++i) {
    const size_t v = kept[i], m = member[v];
    Vec3 normal = normals[i];
    double facing = 0;
    for (size_t a = 0; a < 3; ++a) facing += normal[a] * (points.origin[m][a] - points.coord[m][a]);
    if (facing < 0) normal = {-normal[0], -normal[1], -normal[2]};
    for (size_t a = 0; a < 3; ++a) {
      out.grid_coord.data_ptr<int64_t>()[3 * i + a] = cells.coord[v][a];
      out.coord.data_ptr<float>()[3 * i + a] = static_cast<float>(points.coord[m][a]);
    }
    out.segment.data_ptr<int64_t>()[i] = points.segment[m];
    features.write(points, m, normal);
  }
  return out;
}

}  // namespace

void VoxelParams::declare(Fields<VoxelParams>& f) {
  f.add("grid", &VoxelParams::grid, "edge of a voxel, metres", between(1e-3, 100));
  f.add("channels", &VoxelParams::channels, "input channels: z, normal, refl");
  f.add("floor", &VoxelParams::floor, "how the ground height is found",
        Choices{{"quantile", "mode"}});
  f.add("height_scale", &VoxelParams::height_scale, "metres per unit of channel z",
        between(1e-3, 1e3));
  f.add("crop_voxels", &VoxelParams::crop_voxels, "voxels of a training crop", at_least(1));
  f.add("scale_low", &VoxelParams::scale_low, "smallest random scale", between(.1, 10));
  f.add("scale_high", &VoxelParams::scale_high, "largest random scale", between(.1, 10));
  f.add("rotate", &VoxelParams::rotate, "random rotation about z in training");
  f.add("mirror", &VoxelParams::mirror, "random mirror in x in training");
}

std::vector<std::string> VoxelParams::channel_names() const {
  std::vector<std::string> out;
  for (const auto& channel : channels) {
    check_name("voxel.channels", "channel", channel, {"z", "normal", "refl"});
    if (channel != "normal")
      out.push_back(channel);
    else
      out.insert(out.end(), {"nx", "ny", "nz"});
  }
  return out;
}

int64_t VoxelParams::width() const { return static_cast<int64_t>(channel_names().size()); }

VoxelCloud voxelize(const Sample& scan, const VoxelParams& params, RandomStream stream) {
  const Points points = read_points(scan);
  const Cells cells = group_by_cell(points, params.grid, scan.info.uri);
  const std::vector<size_t> all = all_of(cells);
  VoxelCloud out = build(points, cells, all, draw_members(cells, stream),
                         normals_of(points, cells, all), params);
  out.inverse = at::empty({static_cast<int64_t>(points.size())}, at::kLong);
  for (size_t v = 0; v < cells.size(); ++v) {
    for (size_t j = cells.begin[v]; j < cells.begin[v + 1]; ++j) {
      out.inverse.data_ptr<int64_t>()[cells.order[j]] = static_cast<int64_t>(v);
    }
  }
  return out;
}

VoxelCloud voxelize_train(const Sample& scan, const VoxelParams& params, RandomStream stream) {
  Points points = read_points(scan);
  augment(points, params, stream);
  const Cells cells = group_by_cell(points, params.grid, scan.info.uri);
  const std::vector<size_t> kept = crop(cells, params.crop_voxels, stream);
  VoxelCloud out = build(points, cells, kept, draw_members(cells, stream),
                         normals_of(points, cells, kept), params);
  if (out.grid_coord.size(0) > 0) out.grid_coord -= std::get<0>(out.grid_coord.min(0));
  return out;
}

std::vector<VoxelFragment> voxelize_fragments(const Sample& scan, const VoxelParams& params) {
  const Points points = read_points(scan);
  const Cells cells = group_by_cell(points, params.grid, scan.info.uri);
  const std::vector<size_t> all = all_of(cells);
  const std::vector<Vec3> normals = normals_of(points, cells, all);
  size_t largest = 0;
  for (size_t v : all) largest = std::max(largest, cells.begin[v + 1] - cells.begin[v]);
  std::vector<VoxelFragment> out;
  for (size_t i = 0; i < largest; ++i) {
    std::vector<size_t> member(cells.size());
    for (size_t v : all)
      member[v] = cells.order[cells.begin[v] + i % (cells.begin[v + 1] - cells.begin[v])];
    at::Tensor rows = at::empty({static_cast<int64_t>(member.size())}, at::kLong);
    std::copy(member.begin(), member.end(), rows.data_ptr<int64_t>());
    out.push_back({build(points, cells, all, member, normals, params), rows});
  }
  return out;
}

std::vector<float> rank_normalized(const std::vector<float>& values) {
  std::vector<size_t> order(values.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(),
            [&](size_t a, size_t b) { return std::pair(values[a], a) < std::pair(values[b], b); });
  std::vector<float> out(values.size(), 0.f);
  const double top = std::max<double>(1, static_cast<double>(values.size()) - 1);
  for (size_t begin = 0; begin < order.size();) {
    size_t end = begin + 1;
    while (end < order.size() && values[order[end]] == values[order[begin]]) ++end;
    const double rank = .5 * static_cast<double>(begin + end - 1);
    for (size_t j = begin; j < end; ++j) out[order[j]] = static_cast<float>(2 * rank / top - 1);
    begin = end;
  }
  return out;
}

}  // namespace switchyard
