#include "datasets/point_cloud/scan/sensor.h"

#include "core/base/error.h"
#include "datasets/point_cloud/scan/sensor_livox.h"
#include "datasets/point_cloud/scan/sensor_photo.h"
#include "datasets/point_cloud/scan/sensor_rgbd.h"
#include "datasets/point_cloud/scan/sensor_spin.h"
#include "datasets/point_cloud/scan/sensor_tls.h"

namespace switchyard::scan {
namespace {

constexpr double kClearances[] = {.5, .4, .3, .25};
constexpr int kTries = 60;

bool far_from_all(const std::vector<Vec3>& points, const Vec3& p) {
  for (const Vec3& q : points) {
    if (std::hypot(p.x - q.x, p.y - q.y) < 1) return false;
  }
  return true;
}

Vec3 draw_point(const Room& room, double low, double high, RandomStream& random) {
  const Vec2 c = room.outline.center();
  const double x = random.uniform(0, 2 * c.x), y = random.uniform(0, 2 * c.y);
  return {x, y, random.uniform(low, high)};
}

// Where no free place exists, the point of 200 that is farthest from the walls.
Vec3 fallback(const Room& room, double low, double high, RandomStream& random) {
  Vec3 best = draw_point(room, low, high, random);
  double best_distance = -1;
  for (int i = 0; i < 200; ++i) {
    const Vec3 p = draw_point(room, low, high, random);
    const double distance =
        room.outline.contains(Vec2{p.x, p.y}) ? room.outline.distance_to_walls({p.x, p.y}) : -1;
    if (distance > best_distance) {
      best = p;
      best_distance = distance;
    }
  }
  return best;
}

}  // namespace

const std::vector<std::string>& sensor_names() {
  static const std::vector<std::string> names = {"rgbd", "tls", "spin", "livox", "photo"};
  return names;
}

std::unique_ptr<Sensor> make_sensor(const std::string& name) {
  check_name("scan", "sensor", name, sensor_names());
  if (name == "rgbd") return std::make_unique<RgbdSensor>();
  if (name == "tls") return std::make_unique<TlsSensor>();
  if (name == "spin") return std::make_unique<SpinSensor>();
  if (name == "livox") return std::make_unique<LivoxSensor>();
  return std::make_unique<PhotoSensor>();
}

bool can_stand(const Room& room, const Vec3& eye, double clearance) {
  const Vec2 p{eye.x, eye.y};
  if (!room.outline.contains(p) || room.outline.distance_to_walls(p) < clearance) return false;
  for (const auto& object : room.objects) {
    const Footprint& f = object.footprint;
    if (f.z0 < eye.z + .2 && f.z1 > eye.z - .6 && f.contains(p)) return false;
  }
  return true;
}

std::vector<Vec3> draw_standpoints(const Room& room, int count, double low, double high,
                                   RandomStream& random) {
  std::vector<Vec3> out;
  for (const bool apart : {true, false}) {
    for (const double clearance : kClearances) {
      for (int i = 0; i < kTries && int(out.size()) < count; ++i) {
        const Vec3 p = draw_point(room, low, high, random);
        if (can_stand(room, p, clearance) && (!apart || far_from_all(out, p))) out.push_back(p);
      }
    }
  }
  if (out.empty()) out.push_back(fallback(room, low, high, random));
  return out;
}

ViewAxes::ViewAxes(double yaw, double pitch)
    : forward{std::cos(pitch) * std::cos(yaw), std::cos(pitch) * std::sin(yaw), std::sin(pitch)},
      right{std::sin(yaw), -std::cos(yaw), 0},
      up(cross(right, forward)) {}

double reflectance(const std::array<float, 3>& c) {
  return .25 + .6 * (.5 * c[0] + .3 * c[1] + .2 * c[2]);
}

double yaw_to_center(const Room& room, const Vec3& eye) {
  const Vec2 c = room.outline.center();
  return std::atan2(c.y - eye.y, c.x - eye.x);
}

Vec3 normal_vector(RandomStream& random, double deviation) {
  const double x = random.normal(0, deviation), y = random.normal(0, deviation);
  return {x, y, random.normal(0, deviation)};
}

}  // namespace switchyard::scan
