#include "datasets/point_cloud/scan/scan_simulator.h"

#include "core/base/error.h"
#include "datasets/point_cloud/scan/recipes.h"

namespace switchyard::scan {
namespace {

constexpr size_t kRecentRooms = 4;
constexpr int kCommonEyes = 2;

// Selection sampling: every subset is equally likely, order stays.
std::vector<ScanPoint> subsample(std::vector<ScanPoint> points, int64_t keep, RandomStream random) {
  const int64_t count = int64_t(points.size());
  int64_t wanted = keep;
  if (count <= wanted) return points;
  std::vector<ScanPoint> out;
  out.reserve(wanted);
  for (int64_t i = 0; i < count && wanted > 0; ++i) {
    if (random.below(count - i) >= wanted) continue;
    out.push_back(points[i]);
    --wanted;
  }
  return out;
}

// Points of the ring, seen from their own sensor position.
std::vector<ScanPoint> inside_ring(std::vector<ScanPoint> points) {
  std::erase_if(points, [](const ScanPoint& p) {
    const Vec3 d = p.position - p.origin;
    const double elevation = std::atan2(d.z, std::hypot(d.x, d.y));
    return elevation < radians(ring().low) || elevation > radians(ring().high);
  });
  return points;
}

}  // namespace

std::shared_ptr<const ScanRoom> ScanSimulator::room(const std::string& purpose, int64_t index,
                                                    bool test) const {
  const std::string key = cat(purpose, ":", index);
  {
    std::lock_guard lock(mutex_);
    for (const Entry& entry : recent_) {
      if (entry.key == key) return entry.room;
    }
  }
  const std::string kind = room_kind(RandomStream(seed_, "scan-kinds-" + purpose).uniform(), index);
  Room room = make_room(library_, kind, test,
                        RandomStream(seed_, "scan-room-" + purpose, 0, uint64_t(index)));
  Soup soup = make_soup(room, library_);
  std::vector<Vec3> eyes;
  if (equal_coverage_) {
    RandomStream random(seed_, "scan-eyes-" + purpose, 0, uint64_t(index));
    eyes = draw_standpoints(room, kCommonEyes, 1.2, 1.6, random);
  }
  std::shared_ptr<const ScanRoom> made(
      new ScanRoom{std::move(room), Scene(std::move(soup)), std::move(eyes)});
  std::lock_guard lock(mutex_);
  recent_.push_front({key, made});
  if (recent_.size() > kRecentRooms) recent_.pop_back();
  return made;
}

std::vector<ScanPoint> ScanSimulator::scan(const std::string& purpose, int64_t index, bool test,
                                           const std::string& sensor, int64_t keep) const {
  const auto furnished = room(purpose, index, test);
  const RandomStream random(seed_, "scan-" + purpose + "-" + sensor, 0, uint64_t(index));
  auto points = make_sensor(sensor)->scan(*furnished, random.child("sensor"));
  if (equal_coverage_) points = inside_ring(std::move(points));
  return subsample(std::move(points), keep, random.child("keep"));
}

}  // namespace switchyard::scan
