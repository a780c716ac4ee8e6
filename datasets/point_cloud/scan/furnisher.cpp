#include "datasets/point_cloud/scan/furnisher.h"

#include <algorithm>
#include <numbers>

namespace switchyard::scan {
namespace {

constexpr int kTries = 14;
constexpr double kMargin = .02, kWallGap = .03, kUpperCabinet = 1.45;

Footprint footprint_of(const ModelEntry& e, Vec2 center, double z, double yaw) {
  return {center, e.width / 2 + kMargin, e.depth / 2 + kMargin, yaw, z, z + e.height};
}

}  // namespace

std::optional<int64_t> Furnisher::pick(const std::string& role) {
  const auto models = library_.with_role(role, test_);
  if (models.empty()) return std::nullopt;
  return models[random_.below(int64_t(models.size()))];
}

bool Furnisher::is_free(const Footprint& f, std::optional<size_t> host) const {
  if (f.z1 > room_.height || !room_.outline.contains(f)) return false;
  for (const auto& reserved : room_.reserved) {
    if (collide(f, reserved)) return false;
  }
  for (size_t i = 0; i < room_.objects.size(); ++i) {
    if (host != i && collide(f, room_.objects[i].footprint)) return false;
  }
  return true;
}

Furnisher::Placed Furnisher::place(int64_t model, Vec2 center, double z, double yaw,
                                   std::optional<size_t> host) {
  const Footprint f = footprint_of(library_.entry(model), center, z, yaw);
  if (!is_free(f, host)) return std::nullopt;
  room_.objects.push_back({model, {center.x, center.y, z}, yaw, f});
  return room_.objects.size() - 1;
}

bool Furnisher::covers_opening(int64_t wall, double s0, double s1, double z0, double z1) const {
  return std::any_of(room_.openings.begin(), room_.openings.end(), [&](const Opening& o) {
    return o.wall == wall && s0 < o.s1 && o.s0 < s1 && z0 < o.z1 && o.z0 < z1;
  });
}

Furnisher::Placed Furnisher::place_on_wall(int64_t model, int64_t wall, double s, double front,
                                           double z) {
  const ModelEntry& e = library_.entry(model);
  if (covers_opening(wall, s - e.width / 2, s + e.width / 2, z, z + e.height)) return std::nullopt;
  const Vec2 inward = room_.outline.inward(wall);
  const Vec2 center =
      room_.outline.start(wall) + s * room_.outline.along(wall) + (e.depth / 2 + kWallGap) * inward;
  const double yaw = facing_yaw(inward);
  if (front > 0) {
    const Footprint strip{
        center + (e.depth + front) / 2 * inward, e.width / 2, front / 2, yaw, z, z + e.height};
    if (!is_free(strip, {})) return std::nullopt;
  }
  return place(model, center, z, yaw);
}

// Every third try goes to a corner.
double Furnisher::draw_along(double low, double high) {
  if (random_.chance(.33)) return random_.chance(.5) ? low : high;
  return random_.uniform(low, high);
}

Furnisher::Placed Furnisher::on_wall(const std::string& role, double front, double z) {
  for (int attempt = 0; attempt < kTries; ++attempt) {
    const auto model = pick(role);
    if (!model) return std::nullopt;
    const int64_t wall = random_.below(room_.outline.size());
    const double half = library_.entry(*model).width / 2 + kWallGap;
    const double high = room_.outline.wall_length(wall) - half;
    if (high < half) continue;
    if (const auto placed = place_on_wall(*model, wall, draw_along(half, high), front, z))
      return placed;
  }
  return std::nullopt;
}

Furnisher::Placed Furnisher::on_top(size_t host, const std::string& role) {
  const PlacedModel base = room_.objects[host];
  const ModelEntry& below = library_.entry(base.model);
  if (below.top <= 0) return std::nullopt;
  for (int attempt = 0; attempt < kTries; ++attempt) {
    const auto model = pick(role);
    if (!model) return std::nullopt;
    const ModelEntry& e = library_.entry(*model);
    if (std::max(e.width, e.depth) > 1.15 * std::min(below.width, below.depth) &&
        (e.width > below.width || e.depth > 1.15 * below.depth)) {
      continue;
    }
    const double free_x = std::max(0.0, (below.width - e.width) / 2),
                 free_y = std::max(0.0, (below.depth - e.depth) / 2);
    const double u = random_.uniform(-free_x, free_x), v = random_.uniform(-free_y, free_y);
    const Vec2 center =
        base.footprint.center + u * base.footprint.axis_x() + v * base.footprint.axis_y();
    if (const auto placed = place(*model, center, base.position.z + below.top, base.yaw, host))
      return placed;
  }
  return std::nullopt;
}

Furnisher::Placed Furnisher::loose(const std::string& role) {
  for (int attempt = 0; attempt < kTries; ++attempt) {
    const auto model = pick(role);
    if (!model) return std::nullopt;
    const Vec2 c = room_.outline.center();
    const Vec2 center{random_.uniform(0, 2 * c.x), random_.uniform(0, 2 * c.y)};
    const double yaw = role == "dining_table"
                           ? std::numbers::pi / 2 * double(random_.below(4)) + random_.normal(0, .1)
                           : random_.uniform(-std::numbers::pi, std::numbers::pi);
    if (const auto placed = place(*model, center, 0, yaw)) return placed;
  }
  return std::nullopt;
}

Furnisher::Placed Furnisher::in_front(size_t host, const std::string& role, double gap,
                                      bool facing) {
  const PlacedModel base = room_.objects[host];
  for (int attempt = 0; attempt < kTries; ++attempt) {
    const auto model = pick(role);
    if (!model) return std::nullopt;
    const double reach = base.footprint.half_y + gap + library_.entry(*model).depth / 2;
    const Vec2 center = base.footprint.center + -reach * base.footprint.axis_y() +
                        random_.uniform(-.15, .15) * base.footprint.axis_x();
    const double yaw = base.yaw + (facing ? std::numbers::pi + random_.normal(0, .12) : 0);
    if (const auto placed = place(*model, center, base.position.z, yaw)) return placed;
  }
  return std::nullopt;
}

Furnisher::Placed Furnisher::beside(size_t host, const std::string& role, int side) {
  const PlacedModel base = room_.objects[host];
  const auto model = pick(role);
  if (!model) return std::nullopt;
  const ModelEntry& e = library_.entry(*model);
  const double reach = base.footprint.half_x + e.width / 2 + kMargin + .05;
  const double back = base.footprint.half_y - e.depth / 2 - kMargin;
  return place(*model,
               base.footprint.center + side * reach * base.footprint.axis_x() +
                   back * base.footprint.axis_y(),
               0, base.yaw);
}

Furnisher::Placed Furnisher::hang(const std::string& role) {
  for (int attempt = 0; attempt < kTries; ++attempt) {
    const auto model = pick(role);
    if (!model) return std::nullopt;
    const Vec2 center = room_.outline.center() + Vec2{random_.normal(0, .4), random_.normal(0, .4)};
    const double z = room_.height - library_.entry(*model).height;
    if (z > 1.2) {
      if (const auto placed = place(*model, center, z, 0)) return placed;
    }
  }
  return std::nullopt;
}

Furnisher::Placed Furnisher::hang_on_wall(const std::string& role) {
  const auto model = pick(role);
  if (!model) return std::nullopt;
  return on_wall(role, 0, std::max(1.4, library_.entry(*model).elevation));
}

// `edge` lies on the table's rim, `direction` points away from the table.
bool Furnisher::chair_at(size_t table, int64_t model, Vec2 direction, Vec2 edge) {
  const double depth = library_.entry(model).depth;
  const double pushed_in = random_.uniform(0, .22), pulled_out = random_.chance(.2) ? .35 : 0;
  const double out = depth / 2 - pushed_in + pulled_out;
  const double yaw = std::atan2(-direction.x, direction.y) + random_.normal(0, .12);
  return place(model, edge + out * direction, 0, yaw, table).has_value();
}

void Furnisher::chairs(size_t table, int64_t count) {
  const auto model = pick("chair");
  if (!model) return;
  const Footprint f = room_.objects[table].footprint;
  const bool long_x = f.half_x >= f.half_y;
  const Vec2 along = long_x ? f.axis_x() : f.axis_y(), across = long_x ? f.axis_y() : f.axis_x();
  const double half_long = std::max(f.half_x, f.half_y), half_short = std::min(f.half_x, f.half_y);
  const int64_t seats = std::max<int64_t>(1, int64_t(2 * half_long / .6));
  std::vector<std::pair<Vec2, Vec2>> places;  // direction, edge
  for (int64_t i = 0; i < seats; ++i) {
    const double s = (double(i) - .5 * double(seats - 1)) * .6;
    for (const double side : {-1.0, 1.0}) {
      places.push_back({side * across, f.center + s * along + side * half_short * across});
    }
  }
  for (const double side : {-1.0, 1.0})
    places.push_back({side * along, f.center + side * half_long * along});
  for (const int64_t i : random_.permutation(int64_t(places.size()))) {
    if (count > 0 && chair_at(table, *model, places[i].first, places[i].second)) --count;
  }
}

Furnisher::Placed Furnisher::desk() {
  auto placed = on_wall("desk", .4);
  if (!placed) placed = on_wall("desk", .4);
  if (!placed) return placed;
  if (const auto chair = pick(random_.chance(.7) ? "desk_chair" : "chair")) {
    const PlacedModel base = room_.objects[*placed];
    const double depth = library_.entry(*chair).depth;
    const double out = base.footprint.half_y + depth / 2 - random_.uniform(0, .4) * depth;
    place(*chair, base.footprint.center + -out * base.footprint.axis_y(), 0,
          base.yaw + std::numbers::pi + random_.normal(0, .2), *placed);
  }
  if (random_.chance(.8)) on_top(*placed, "desk_appliance");
  if (random_.chance(.5)) on_top(*placed, "table_lamp");
  return placed;
}

// Returns the next free position along the wall.
double Furnisher::kitchen_step(int64_t wall, double s, bool upper) {
  const auto model = pick(random_.chance(.35) ? "kitchen_appliance" : "kitchen_lower");
  if (!model) return 1e9;
  const ModelEntry& e = library_.entry(*model);
  if (s + e.width > room_.outline.wall_length(wall)) return 1e9;
  const auto placed = place_on_wall(*model, wall, s + e.width / 2 + kWallGap, .3, 0);
  if (!placed) return s + .3;
  if (e.height < 1.2 && random_.chance(.4)) on_top(*placed, "top_appliance");
  const auto above = upper ? pick("kitchen_upper") : std::nullopt;
  if (above) place_on_wall(*above, wall, s + e.width / 2 + kWallGap, 0, kUpperCabinet);
  return s + e.width + .045;
}

void Furnisher::kitchen_run() {
  std::vector<int64_t> walls = random_.permutation(room_.outline.size());
  std::stable_sort(walls.begin(), walls.end(), [&](int64_t a, int64_t b) {
    return std::lround(100 * room_.outline.wall_length(a)) >
           std::lround(100 * room_.outline.wall_length(b));
  });
  const bool upper = random_.chance(.6);
  const size_t before = room_.objects.size();
  for (const int64_t wall : walls) {
    if (room_.objects.size() >= before + 2) return;
    const double end = room_.outline.wall_length(wall) - .3;
    for (double s = .02; s < end;) s = kitchen_step(wall, s, upper);
  }
}

}  // namespace switchyard::scan
