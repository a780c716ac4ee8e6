#include "datasets/point_cloud/scan/sensor_livox.h"

#include <algorithm>
#include <numbers>

namespace switchyard::scan {
namespace {

constexpr int kDwells = 8, kPulses = 20000;
constexpr double kPulseStep = 2e-5;  // seconds: 100 kHz, every second pulse
constexpr double kW1 = 7294 / 60.0 * 2 * std::numbers::pi,
                 kW2 = -4664 / 60.0 * 2 * std::numbers::pi;
constexpr double kAmplitude = 17.6, kMinRange = .3, kBeam = .14, kJitter = .05;

struct Dwell {
  std::vector<Ray> rays, beside;  // `beside`: at the rim of the beam, for mixed returns
};

Dwell make_dwell(const Vec3& eye, double yaw, double pitch, RandomStream& random) {
  const ViewAxes axes(yaw, pitch);
  const double start = random.uniform(0, 100), a = radians(kAmplitude);
  Dwell out;
  for (int i = 0; i < kPulses; ++i) {
    const double t = start + i * kPulseStep;
    const double x = a * (std::cos(kW1 * t) + std::cos(kW2 * t)),
                 y = a * (std::sin(kW1 * t) + std::sin(kW2 * t));
    const double angle = std::max(std::hypot(x, y), 1e-9), scale = std::sin(angle) / angle;
    const Vec3 d = std::cos(angle) * axes.forward + scale * (x * axes.right + y * axes.up);
    const Vec3 shifted = d + (random.chance(.5) ? 1 : -1) * radians(kBeam) * axes.up;
    out.rays.push_back({eye, d});
    out.beside.push_back({eye, (1 / length(shifted)) * shifted});
  }
  return out;
}

double measure(double r, const Hit& beside, RandomStream& random) {
  const double jump = beside.valid() ? beside.distance - r : 0;
  double out = r + random.normal(0, r < 1 ? .03 : .02);
  if (std::abs(jump) > .08 && std::abs(jump) < .6) out += .7 * random.uniform() * jump;
  return out;
}

}  // namespace

std::vector<ScanPoint> LivoxSensor::scan(const ScanRoom& room, RandomStream random) const {
  const bool equal = !room.common_eyes.empty();
  const auto eyes = equal ? room.common_eyes : draw_standpoints(room.room, 2, .8, 1.6, random);
  const int dwells = equal ? kRingViews * int(eyes.size()) : kDwells;
  const double yaw0 = random.uniform(0, radians(360));
  std::vector<ScanPoint> out;
  for (int k = 0; k < dwells; ++k) {
    const Vec3 eye = equal ? eyes[size_t(k) / kRingViews] : eyes[k % eyes.size()];
    const double pitch = equal ? radians(ring().middle()) : random.uniform(-.35, .25);
    const Dwell dwell = make_dwell(eye, yaw0 + radians(45) * k, pitch, random);
    const auto hits = room.scene.cast(dwell.rays), beside = room.scene.cast(dwell.beside);
    const Vec3 pose_error = normal_vector(random, .008);
    for (size_t i = 0; i < hits.size(); ++i) {
      const Hit& hit = hits[i];
      if (!hit.valid() || hit.distance < kMinRange || random.chance(.01)) continue;
      const Vec3& direction = dwell.rays[i].direction;
      const auto color = color_at(room.scene.soup(), hit.triangle, eye + hit.distance * direction);
      const double signal = reflectance(color) * hit.cos_incidence;
      if (!random.chance(clip01(signal / .05))) continue;
      const Vec3 aim = direction + normal_vector(random, radians(kJitter));
      const double r = measure(hit.distance, beside[i], random);
      out.push_back({eye + r * aim + pose_error,
                     eye,
                     {},
                     float(std::round(255 * clip01(signal)) / 255),
                     room.scene.soup().labels[hit.triangle]});
    }
  }
  return out;
}

}  // namespace switchyard::scan
