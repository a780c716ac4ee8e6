#include "datasets/point_cloud/scan/room.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/base/error.h"

namespace switchyard::scan {
namespace {

struct Kind {
  const char* name;
  double share, low, high;
};
constexpr Kind kKinds[] = {{"living", .27, 3.4, 5.2},  {"bedroom", .18, 2.9, 4.2},
                           {"office", .16, 2.9, 4.8},  {"dining", .12, 3.0, 4.5},
                           {"kitchen", .12, 2.7, 4.2}, {"studio", .15, 4.2, 5.6}};
constexpr Rgb kFloorColors[] = {
    {150, 111, 72}, {92, 62, 40}, {196, 174, 140}, {128, 126, 122}, {172, 136, 98}};
constexpr double kCornerGap = .17, kOpeningGap = .1, kDoorClearance = .9;
constexpr double kWindowShare = .6;  // largest share of a wall's length for one window

Rgb tinted_grey(RandomStream& random, double low, double high) {
  const double grey = random.uniform(low, high);
  Rgb out;
  for (auto& channel : out) {
    channel = static_cast<unsigned char>(255 * std::clamp(grey + random.normal(0, .025), 0.0, 1.0));
  }
  return out;
}

const Kind& find_kind(const std::string& name) {
  const auto kind = std::find_if(std::begin(kKinds), std::end(kKinds),
                                 [&](const Kind& k) { return name == k.name; });
  check(kind != std::end(kKinds), "scan", "unknown kind of room: got '", name, "'");
  return *kind;
}

Outline make_outline(const Kind& kind, RandomStream& random) {
  const double w = random.uniform(kind.low, kind.high);
  const double d = random.uniform(std::max(2.7, .8 * kind.low), std::max(2.7, .85 * kind.high));
  const bool l_shape = random.chance(.3) && w * d > 12;
  if (!l_shape) return Outline({{0, 0}, {w, 0}, {w, d}, {0, d}});
  const double cw = random.uniform(.25, .4) * w, cd = random.uniform(.25, .4) * d;
  switch (random.below(4)) {
    case 0:
      return Outline({{cw, 0}, {w, 0}, {w, d}, {0, d}, {0, cd}, {cw, cd}});
    case 1:
      return Outline({{0, 0}, {w - cw, 0}, {w - cw, cd}, {w, cd}, {w, d}, {0, d}});
    case 2:
      return Outline({{0, 0}, {w, 0}, {w, d - cd}, {w - cw, d - cd}, {w - cw, d}, {0, d}});
    default:
      return Outline({{0, 0}, {w, 0}, {w, d}, {cw, d}, {cw, d - cd}, {0, d - cd}});
  }
}

class OpeningMaker {
 public:
  OpeningMaker(const ModelLibrary& library, bool test, Room& room, RandomStream& random)
      : library_(library), test_(test), room_(room), random_(random) {}

  void run() {
    int doors = 0;
    const int wanted = 1 + (room_.outline.area() > 20 && random_.chance(.3) ? 1 : 0);
    for (const int64_t wall : random_.permutation(room_.outline.size())) {
      if (doors < wanted && add(wall, "door")) {
        ++doors;
        continue;
      }
      if (!random_.chance(.75)) continue;
      add(wall, "window");
      if (room_.outline.wall_length(wall) > 4.5 && random_.chance(.5)) add(wall, "window");
    }
  }

 private:
  // One model is drawn for a wall; if it does not fit, the wall stays as it is.
  bool add(int64_t wall, const std::string& role) {
    const auto models = library_.with_role(role, test_);
    if (models.empty()) return false;
    const int64_t model = models[random_.below(int64_t(models.size()))];
    const ModelEntry& entry = library_.entry(model);
    const double wall_length = room_.outline.wall_length(wall);
    const double room_left = wall_length - 2 * kCornerGap - entry.width;
    if (room_left < 0 || entry.height > room_.height - .1) return false;
    if (role == "window" && entry.width > kWindowShare * wall_length) return false;
    const double s0 = kCornerGap + random_.uniform() * room_left;
    const double sill =
        role == "door" ? 0 : std::min(entry.elevation, room_.height - .1 - entry.height);
    const Opening opening{wall, model, s0, s0 + entry.width, sill, sill + entry.height};
    if (!is_free(opening)) return false;
    room_.openings.push_back(opening);
    if (sill < .3) reserve(opening);
    return true;
  }

  bool is_free(const Opening& a) const {
    return std::none_of(room_.openings.begin(), room_.openings.end(), [&](const Opening& b) {
      return a.wall == b.wall && a.s0 < b.s1 + kOpeningGap && b.s0 < a.s1 + kOpeningGap;
    });
  }

  void reserve(const Opening& o) {
    const Outline& outline = room_.outline;
    const Vec2 middle = outline.start(o.wall) + (o.s0 + o.s1) / 2 * outline.along(o.wall);
    room_.reserved.push_back({middle + kDoorClearance / 2 * outline.inward(o.wall),
                              (o.s1 - o.s0) / 2, kDoorClearance / 2,
                              facing_yaw(outline.inward(o.wall)), 0, 2});
  }

  const ModelLibrary& library_;
  bool test_;
  Room& room_;
  RandomStream& random_;
};

}  // namespace

double Room::floor_cover() const {
  double sum = 0;
  for (const auto& object : objects) {
    if (object.footprint.z0 < .3) sum += object.footprint.area();
  }
  return sum / outline.area();
}

std::string room_kind(double start, int64_t index) {
  double left = std::fmod(start + double(index) * (std::numbers::phi - 1), 1.0);
  for (const Kind& kind : kKinds) {
    if ((left -= kind.share) < 0) return kind.name;
  }
  return kKinds[0].name;  // the shares add up to 1 but for rounding
}

Room make_empty_room(const ModelLibrary& library, const std::string& kind, bool test,
                     RandomStream random) {
  Room room;
  room.kind = kind;
  room.outline = make_outline(find_kind(kind), random);
  room.height = random.uniform(2.4, 2.9);
  room.wall_color = tinted_grey(random, .55, .95);
  room.ceiling_color = tinted_grey(random, .85, .97);
  room.floor_color = kFloorColors[random.below(std::size(kFloorColors))];
  OpeningMaker(library, test, room, random).run();
  return room;
}

}  // namespace switchyard::scan
