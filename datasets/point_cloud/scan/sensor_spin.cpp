#include "datasets/point_cloud/scan/sensor_spin.h"

#include <algorithm>

namespace switchyard::scan {
namespace {

constexpr int kFrames = 5, kBeams = 32, kAzimuths = 900;
constexpr double kMinRange = .5, kRangeStep = .002;

// Both ends are free and as many points between them as 30 draws find.
std::vector<Vec3> draw_walk(const Room& room, RandomStream& random) {
  std::vector<Vec3> best;
  int best_free = -1;
  for (int attempt = 0; attempt < 30 && best_free < kFrames; ++attempt) {
    const auto ends = draw_standpoints(room, 2, .5, 1.3, random);
    const Vec3 a = ends.front();
    Vec3 b = ends.back();
    b.z = a.z;
    std::vector<Vec3> walk;
    int free = 0;
    for (int k = 0; k < kFrames; ++k) {
      const Vec3 p = a + (double(k) / (kFrames - 1)) * (b - a);
      const bool ok = can_stand(room, p, .25);
      free += ok;
      walk.push_back(ok ? p : a);
    }
    if (free > best_free) {
      best_free = free;
      best = walk;
    }
  }
  return best;
}

/// Where the frames are taken from.
std::vector<Vec3> frame_eyes(const ScanRoom& room, RandomStream& random) {
  if (room.common_eyes.empty()) return draw_walk(room.room, random);
  std::vector<Vec3> out;
  for (int k = 0; k < kFrames; ++k)
    out.push_back(room.common_eyes[size_t(k) % room.common_eyes.size()]);
  return out;
}

struct Frame {
  std::vector<Ray> rays;  // beam-major
  std::array<double, kBeams> bias, gain;
};

Frame make_frame(const Vec3& eye, RandomStream& random) {
  Frame out;
  const double yaw0 = random.uniform(0, radians(360)), tilt_x = random.normal(0, radians(3)),
               tilt_y = random.normal(0, radians(3));
  for (int beam = 0; beam < kBeams; ++beam) {
    out.bias[beam] = random.normal(0, .008);
    out.gain[beam] = random.normal(1, .08);
    const double elevation = radians(-30.67 + beam * 41.34 / 31);
    for (int k = 0; k < kAzimuths; ++k) {
      const Vec3 d = ViewAxes(yaw0 + radians(k * 360.0 / kAzimuths), elevation).forward;
      const Vec3 tilted{d.x + tilt_y * d.z, d.y - tilt_x * d.z, d.z - tilt_y * d.x + tilt_x * d.y};
      out.rays.push_back({eye, (1 / length(tilted)) * tilted});
    }
  }
  return out;
}

}  // namespace

std::vector<ScanPoint> SpinSensor::scan(const ScanRoom& room, RandomStream random) const {
  std::vector<ScanPoint> out;
  for (const Vec3& eye : frame_eyes(room, random)) {
    const Frame frame = make_frame(eye, random);
    const auto hits = room.scene.cast(frame.rays);
    const Vec3 pose_error = normal_vector(random, .01);
    for (size_t i = 0; i < hits.size(); ++i) {
      const Hit& hit = hits[i];
      if (!hit.valid() || hit.distance < kMinRange || random.chance(.02)) continue;
      const Vec3& direction = frame.rays[i].direction;
      const auto color = color_at(room.scene.soup(), hit.triangle, eye + hit.distance * direction);
      const double signal = reflectance(color) * hit.cos_incidence;
      if (!random.chance(clip01(signal / .06))) continue;
      const size_t beam = i / kAzimuths;
      const double r =
          std::round((hit.distance + random.normal(frame.bias[beam], .02)) / kRangeStep) *
          kRangeStep;
      const double intensity = std::round(255 * clip01(signal * frame.gain[beam])) / 255;
      out.push_back({eye + r * direction + pose_error,
                     eye,
                     {},
                     float(intensity),
                     room.scene.soup().labels[hit.triangle]});
    }
  }
  return out;
}

}  // namespace switchyard::scan
