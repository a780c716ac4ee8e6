#pragma once
// What every simulated sensor offers, and what they share.

#include <memory>

#include "datasets/point_cloud/scan/classes.h"
#include "datasets/point_cloud/scan/scene.h"

namespace switchyard::scan {

/// A room ready to be scanned.
struct ScanRoom {
  Room room;
  Scene scene;
  /// Equal coverage: every sensor stands here and looks all around, see ring(). Empty: each sensor
  /// is placed and turned as in practice.
  std::vector<Vec3> common_eyes = {};
};

/// Band of elevations that every sensor covers all around under equal coverage, in degrees: that of
/// the spinning scanner, whose beams are fixed.
struct Ring {
  double low, high;
  double middle() const { return .5 * (low + high); }
};
constexpr Ring ring() { return {-30.67, 10.67}; }
/// Views per standpoint and the yaw between them that cover the ring with fields of view of 50 deg
/// and more.
constexpr int kRingViews = 8;
constexpr double kRingStep = 45;

struct ScanPoint {
  Vec3 position, origin;         ///< metres; origin = the sensor
  std::array<float, 3> color{};  ///< 0 .. 1, where the sensor has colour
  float intensity = 0;           ///< 0 .. 1, where the sensor has intensity
  uint8_t label = 0;             ///< of the triangle that the undisturbed ray hits
};

class Sensor {
 public:
  virtual ~Sensor() = default;
  virtual bool has_color() const = 0;
  virtual bool has_intensity() const = 0;
  /// A pure function of room and stream. Thread-safe.
  virtual std::vector<ScanPoint> scan(const ScanRoom& room, RandomStream random) const = 0;
};

/// "rgbd", "tls", "spin", "livox", "photo".
const std::vector<std::string>& sensor_names();
/// Errors: unknown name.
std::unique_ptr<Sensor> make_sensor(const std::string& name);

/// Up to `count` sensor positions with heights in [low, high]: off the walls, out of the furniture,
/// 1 m apart where possible. At least one position comes back.
std::vector<Vec3> draw_standpoints(const Room& room, int count, double low, double high,
                                   RandomStream& random);
/// Whether a sensor fits at a point: inside, `clearance` from walls, out of the furniture.
bool can_stand(const Room& room, const Vec3& eye, double clearance);

/// Unit axes of a view. Angles in radians, pitch upwards.
struct ViewAxes {
  ViewAxes(double yaw, double pitch);
  Vec3 forward, right, up;
};

/// Near-infrared reflectance guessed from the colour (the models have no infrared data).
double reflectance(const std::array<float, 3>& color);
/// Yaw from a point to the middle of the room.
double yaw_to_center(const Room& room, const Vec3& eye);
Vec3 normal_vector(RandomStream& random, double deviation);
inline double clip01(double x) { return x < 0 ? 0 : x > 1 ? 1 : x; }
inline double radians(double degrees) { return degrees * 0.017453292519943295; }

}  // namespace switchyard::scan
