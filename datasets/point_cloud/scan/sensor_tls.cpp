#include "datasets/point_cloud/scan/sensor_tls.h"

#include <algorithm>

namespace switchyard::scan {
namespace {

constexpr int kColumns = 600, kRows = 254;
constexpr double kStep = .6, kLowest = -62, kMinRange = .6, kMaxIncidence = 84, kMixedJump = .05;

std::vector<Ray> station_rays(const Vec3& eye, double start_yaw) {
  std::vector<Ray> out;
  out.reserve(kColumns * kRows);
  for (int column = 0; column < kColumns; ++column) {
    for (int row = 0; row < kRows; ++row) {
      out.push_back(
          {eye,
           ViewAxes(start_yaw + radians(kStep * column), radians(kLowest + kStep * row)).forward});
    }
  }
  return out;
}

}  // namespace

std::vector<ScanPoint> TlsSensor::scan(const ScanRoom& room, RandomStream random) const {
  const double min_cos = std::cos(radians(kMaxIncidence));
  std::vector<ScanPoint> out;
  for (const Vec3& eye : room.common_eyes.empty() ? draw_standpoints(room.room, 2, 1.4, 1.7, random)
                                                  : room.common_eyes) {
    const auto rays = station_rays(eye, random.uniform(0, radians(360)));
    const auto hits = room.scene.cast(rays);
    const Vec3 registration = normal_vector(random, .0015);
    for (size_t i = 0; i < rays.size(); ++i) {
      const Hit& hit = hits[i];
      if (!hit.valid() || hit.cos_incidence < min_cos || hit.distance < kMinRange) continue;
      const double r = hit.distance;
      const auto color = color_at(room.scene.soup(), hit.triangle, eye + r * rays[i].direction);
      const double signal = reflectance(color) * hit.cos_incidence;
      const double intensity = signal * std::min(1.0, std::pow(2 / r, .7));
      if (!random.chance(clip01(intensity / .03))) continue;
      double measured =
          r + random.normal(0, .0005 + .0010 * (r / 10) / std::sqrt(std::max(signal, .02)));
      const Hit& next = hits[(i + kRows) % hits.size()];
      if (next.valid() && std::abs(next.distance - r) > kMixedJump && random.chance(.1)) {
        measured = r + random.uniform() * (next.distance - r);
      }
      out.push_back({eye + measured * rays[i].direction + registration, eye, color,
                     float(intensity), room.scene.soup().labels[hit.triangle]});
    }
  }
  return out;
}

}  // namespace switchyard::scan
