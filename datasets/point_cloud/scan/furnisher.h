#pragma once
// Placement rules: where models may stand, hang or lie in a room.

#include <optional>

#include "datasets/point_cloud/scan/room.h"

namespace switchyard::scan {

/// Adds objects to a room without collisions. Each call tries a bounded number of places and
/// reports whether it found one; roles without models on this side of the split are never placed.
class Furnisher {
 public:
  using Placed = std::optional<size_t>;  ///< index into room.objects

  Furnisher(const ModelLibrary& library, bool test, Room& room, RandomStream random)
      : library_(library), test_(test), room_(room), random_(random) {}

  /// Back to a wall (3 cm gap), lower side at `z`, with a free strip of depth `front` before it.
  Placed on_wall(const std::string& role, double front = 0, double z = 0);
  /// On the top surface of an object.
  Placed on_top(size_t host, const std::string& role);
  /// Anywhere on the floor; dining tables about parallel to the walls, the rest in any direction.
  Placed loose(const std::string& role);
  /// In front of an object at distance `gap`; `facing` turns its front to the object.
  Placed in_front(size_t host, const std::string& role, double gap, bool facing);
  /// Beside an object against the same wall; side -1 or +1.
  Placed beside(size_t host, const std::string& role, int side);
  /// Hung from the ceiling, near the middle of the room.
  Placed hang(const std::string& role);
  /// On a wall at its catalogue elevation (at least 1.4 m).
  Placed hang_on_wall(const std::string& role);
  /// At most `count` chairs along the long sides and at the heads of a table.
  void chairs(size_t table, int64_t count);
  /// Desk against a wall with its chair pushed in and things on top.
  Placed desk();
  /// Lower cabinets and appliances side by side along the longest wall that takes two, upper
  /// cabinets above.
  void kitchen_run();

  Room& room() { return room_; }
  RandomStream& random() { return random_; }

 private:
  std::optional<int64_t> pick(const std::string& role);
  Placed place(int64_t model, Vec2 center, double z, double yaw, std::optional<size_t> host = {});
  bool is_free(const Footprint& f, std::optional<size_t> host) const;
  bool covers_opening(int64_t wall, double s0, double s1, double z0, double z1) const;
  Placed place_on_wall(int64_t model, int64_t wall, double s, double front, double z);
  double draw_along(double low, double high);
  bool chair_at(size_t table, int64_t model, Vec2 direction, Vec2 edge);
  double kitchen_step(int64_t wall, double s, bool upper);

  const ModelLibrary& library_;
  bool test_;
  Room& room_;
  RandomStream random_;
};

}  // namespace switchyard::scan
