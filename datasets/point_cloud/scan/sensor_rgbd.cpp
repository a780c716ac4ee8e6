#include "datasets/point_cloud/scan/sensor_rgbd.h"

#include <algorithm>
#include <numbers>

namespace switchyard::scan {
namespace {

constexpr int kWidth = 128, kHeight = 96, kViews = 6;
constexpr double kStep = 60;
constexpr double kFocal640 = 585, kBaseline = .075, kScale = kWidth / 640.0;
constexpr double kMinDepth = .5, kMaxDepth = 4.5, kMaxIncidence = 1.4;

// Image of one view; depth = distance along the optical axis, negative where nothing is hit.
class DepthView {
 public:
  DepthView(const ScanRoom& room, const Vec3& eye, double yaw, double pitch)
      : room_(room), eye_(eye), axes_(yaw, pitch) {
    for (int y = 0; y < kHeight; ++y) {
      for (int x = 0; x < kWidth; ++x) rays_.push_back({eye, direction(axes_, x, y)});
    }
    hits_ = room.scene.cast(rays_);
  }

  void collect(double yaw_error, const Vec3& shift, double gain, RandomStream& random,
               std::vector<ScanPoint>& out) const {
    const double c = std::cos(yaw_error), s = std::sin(yaw_error);
    for (int y = 0; y < kHeight; ++y) {
      for (int x = 0; x < kWidth; ++x) {
        const Hit& hit = at(x, y);
        if (!hit.valid()) continue;
        const Ray& ray = rays_[size_t(y) * kWidth + x];
        auto color =
            color_at(room_.scene.soup(), hit.triangle, eye_ + hit.distance * ray.direction);
        const double z = measure(x, y, (color[0] + color[1] + color[2]) / 3, random);
        if (z < 0) continue;
        for (float& channel : color)
          channel = float(clip01(gain * channel + random.normal(0, .02)));
        const Vec3 d = z * ray.direction;
        const Vec3 turned{c * d.x - s * d.y, s * d.x + c * d.y, d.z};
        out.push_back(
            {eye_ + shift + turned, eye_, color, 0, room_.scene.soup().labels[hit.triangle]});
      }
    }
  }

 private:
  static Vec3 direction(const ViewAxes& axes, int x, int y) {
    const double f = kFocal640 * kScale;
    return axes.forward + ((x + .5 - kWidth / 2.) / f) * axes.right +
           ((kHeight / 2. - y - .5) / f) * axes.up;
  }

  const Hit& at(int x, int y) const { return hits_[size_t(y) * kWidth + x]; }

  // Largest jump to a direct neighbour with a reading, signed.
  double jump(int x, int y) const {
    static constexpr int kSteps[4][2] = {{1, 0}, {-1, 0}, {0, 1}, {0, -1}};
    double best = 0;
    for (const auto& step : kSteps) {
      const int u = x + step[0], v = y + step[1];
      if (u < 0 || v < 0 || u >= kWidth || v >= kHeight || !at(u, v).valid()) continue;
      const double d = at(u, v).distance - at(x, y).distance;
      if (std::abs(d) > std::abs(best)) best = d;
    }
    return best;
  }

  // Depth reading of a pixel, or -1 where the camera gives none.
  double measure(int x, int y, double brightness, RandomStream& random) const {
    const double incidence = std::acos(at(x, y).cos_incidence);
    const double grazing = std::max(std::numbers::pi / 2 - incidence, .05);
    if (incidence > kMaxIncidence || !random.chance(clip01((brightness - .02) / .06))) return -1;
    const double lateral = kScale * (.8 + .035 * incidence / grazing);
    const int u = std::clamp(x + int(std::lround(random.normal(0, lateral))), 0, kWidth - 1);
    const int v = std::clamp(y + int(std::lround(random.normal(0, lateral))), 0, kHeight - 1);
    if (!at(u, v).valid()) return -1;
    double z = at(u, v).distance;
    const double axial = .0012 + .0019 * (z - .4) * (z - .4) +
                         .0001 * incidence * incidence / grazing / std::sqrt(std::max(z, .1));
    z = std::max(z + random.normal(0, axial), .05);
    const double steps = std::round(8 * kFocal640 * kBaseline / z);
    if (steps < 1) return -1;
    z = 8 * kFocal640 * kBaseline / steps;
    const double edge = jump(x, y);
    if (std::abs(edge) > .06 + .03 * z) {
      if (random.chance(.6)) return -1;
      if (random.chance(.25)) z += random.uniform() * edge;
    }
    return z < kMinDepth || z > kMaxDepth ? -1 : z;
  }

  const ScanRoom& room_;
  Vec3 eye_;
  ViewAxes axes_;
  std::vector<Ray> rays_;
  std::vector<Hit> hits_;
};

}  // namespace

std::vector<ScanPoint> RgbdSensor::scan(const ScanRoom& room, RandomStream random) const {
  std::vector<ScanPoint> out;
  const bool equal = !room.common_eyes.empty();
  for (const Vec3& eye :
       equal ? room.common_eyes : draw_standpoints(room.room, 3, 1.2, 1.7, random)) {
    const double yaw0 = yaw_to_center(room.room, eye);
    for (int view = 0; view < (equal ? kRingViews : kViews); ++view) {
      const DepthView image(room, eye, yaw0 + radians(equal ? kRingStep : kStep) * view,
                            equal ? radians(ring().middle()) : random.normal(-.28, .18));
      const double yaw_error = random.normal(0, .004), gain = random.uniform(.75, 1.1);
      image.collect(yaw_error, normal_vector(random, .006), gain, random, out);
    }
  }
  return out;
}

}  // namespace switchyard::scan
