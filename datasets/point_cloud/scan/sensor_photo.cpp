#include "datasets/point_cloud/scan/sensor_photo.h"

#include <algorithm>

#include "datasets/point_cloud/scan/neighbor_mean.h"
#include "datasets/point_cloud/scan/value_noise.h"

namespace switchyard::scan {
namespace {

constexpr int kViews = 14, kStandpoints = 5, kWidth = 96, kHeight = 72, kNeighbors = 10;
constexpr double kFieldOfView = 70, kMinCos = .17, kRounding = .035;
// How much texture stereo finds on each class, in label order.
constexpr double kTexture[] = {.25, .7, .15, .45, .35, .75, .65, .6, .7, .5, .5, .95, .4};

std::vector<Ray> view_rays(const Vec3& eye, double yaw, double pitch, RandomStream& random) {
  const ViewAxes axes(yaw, pitch);
  const double f = kWidth / 2. / std::tan(radians(kFieldOfView / 2));
  std::vector<Ray> out;
  for (int y = 0; y < kHeight; ++y) {
    for (int x = 0; x < kWidth; ++x) {
      const double u = (x + random.uniform() - kWidth / 2.) / f,
                   v = (kHeight / 2. - y - random.uniform()) / f;
      out.push_back({eye, axes.forward + u * axes.right + v * axes.up});
    }
  }
  return out;
}

class Reconstruction {
 public:
  Reconstruction(const Scene& scene, RandomStream& random)
      : scene_(scene), random_(random), noise_(random.next()) {}

  void add_view(const std::vector<Ray>& rays) {
    const auto hits = scene_.cast(rays);
    for (size_t i = 0; i < rays.size(); ++i) {
      if (hits[i].valid() && hits[i].cos_incidence > kMinCos) add_point(rays[i], hits[i]);
    }
  }

  std::vector<ScanPoint> finish() {
    std::vector<Vec3> positions;
    for (const ScanPoint& p : points_) positions.push_back(p.position);
    positions = neighbor_mean(positions, kNeighbors, kRounding);
    const double gain = random_.uniform(.8, 1.1);
    for (size_t i = 0; i < points_.size(); ++i) {
      points_[i].position = positions[i];
      if (random_.chance(.003)) points_[i].position = positions[i] + normal_vector(random_, .08);
      for (float& channel : points_[i].color)
        channel = float(clip01(gain * channel + random_.normal(0, .015)));
    }
    return std::move(points_);
  }

 private:
  void add_point(const Ray& ray, const Hit& hit) {
    const Soup& soup = scene_.soup();
    const Vec3 p = ray.origin + hit.distance * ray.direction;
    const uint8_t label = soup.labels[hit.triangle];
    const double object = double(mix64(uint64_t(soup.instances[hit.triangle])) >> 11) * 0x1.0p-53;
    const double texture =
        kTexture[label] + .2 * object + .35 * noise_.at(p, .45) + .2 * noise_.at(p, .12);
    if (!random_.chance(clip01((texture + .12) / .5))) return;
    const double waves =
        (.004 + .03 * clip01(.5 - texture)) * (noise_.at(p, .25) + .6 * noise_.at(p, .09));
    const Vec3 moved = p + (waves + random_.normal(0, .003)) * hit.normal;
    points_.push_back({moved, ray.origin, color_at(soup, hit.triangle, p), 0, label});
  }

  const Scene& scene_;
  RandomStream& random_;
  ValueNoise noise_;
  std::vector<ScanPoint> points_;
};

}  // namespace

std::vector<ScanPoint> PhotoSensor::scan(const ScanRoom& room, RandomStream random) const {
  const bool equal = !room.common_eyes.empty();
  const auto eyes =
      equal ? room.common_eyes : draw_standpoints(room.room, kStandpoints, 1.2, 1.7, random);
  Reconstruction reconstruction(room.scene, random);
  if (equal) {
    for (const Vec3& eye : eyes) {
      for (int view = 0; view < kRingViews; ++view)
        reconstruction.add_view(
            view_rays(eye, radians(kRingStep * view), radians(ring().middle()), random));
    }
    return reconstruction.finish();
  }
  for (int view = 0; view < kViews; ++view) {
    const Vec3 eye = eyes[view % eyes.size()];
    const double yaw =
        yaw_to_center(room.room, eye) + radians(120) * (view / kStandpoints) + random.normal(0, .3);
    reconstruction.add_view(view_rays(eye, yaw, random.normal(-.25, .2), random));
  }
  return reconstruction.finish();
}

}  // namespace switchyard::scan
