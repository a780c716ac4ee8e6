#pragma once
// A furnished room: outline, openings and placed models. Only data; see room_shell, furnisher,
// recipes.

#include <string>
#include <vector>

#include "core/base/random.h"
#include "datasets/point_cloud/scan/footprint.h"
#include "datasets/point_cloud/scan/model_library.h"

namespace switchyard::scan {

/// Door or window in a wall: s along the wall from its start, z above the floor.
struct Opening {
  int64_t wall = 0, model = 0;
  double s0 = 0, s1 = 0, z0 = 0, z1 = 0;
};

struct PlacedModel {
  int64_t model = 0;
  Vec3 position;  ///< of the centre of the model's lower side
  double yaw = 0;
  Footprint footprint;
};

struct Room {
  std::string kind;  ///< living, bedroom, office, dining, kitchen, studio
  Outline outline;
  double height = 0;
  std::vector<Opening> openings;
  std::vector<Footprint> reserved;  ///< floor in front of doors
  std::vector<PlacedModel> objects;
  Rgb wall_color{}, floor_color{}, ceiling_color{};

  /// Share of the floor under objects that begin below 0.3 m.
  double floor_cover() const;
};

/// Yaw that turns a model's back (+Y) to the wall.
inline double facing_yaw(Vec2 inward) { return std::atan2(inward.x, -inward.y); }

/// Kind of room number `index` of a family: each kind comes in its share of every run of rooms, which
/// independent draws would not give a test set of 20 (additive golden-ratio sequence from `start` in
/// [0, 1)).
std::string room_kind(double start, int64_t index);

/// Draws outline, height, colours, doors and windows (scan-simulator: sizes from 2.7 to 5.6 m).
/// Errors: unknown kind.
Room make_empty_room(const ModelLibrary& library, const std::string& kind, bool test,
                     RandomStream random);

}  // namespace switchyard::scan
