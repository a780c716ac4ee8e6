#include "datasets/point_cloud/scan/recipes.h"

#include <map>

#include "datasets/point_cloud/scan/furnisher.h"

namespace switchyard::scan {
namespace {

// What a room is named after: three rounds of tries, the last without free space in front.
Furnisher::Placed main_piece(Furnisher& f, const std::string& role, double front) {
  for (const double strip : {front, front, 0.0}) {
    if (const auto placed = f.on_wall(role, strip)) return placed;
  }
  return std::nullopt;
}

void bedroom(Furnisher& f) {
  auto& random = f.random();
  if (const auto bed = main_piece(f, "bed", .3)) {
    for (const int side : {-1, 1}) {
      if (!random.chance(.75)) continue;
      const auto bedside = f.beside(*bed, "bedside", side);
      if (bedside && random.chance(.7)) f.on_top(*bedside, "table_lamp");
    }
  }
  f.on_wall("cabinet_tall");
  if (random.chance(.6)) f.on_wall("cabinet_low");
  if (random.chance(.4)) f.desk();
}

void living(Furnisher& f) {
  auto& random = f.random();
  auto sofa = f.on_wall(random.chance(.3) ? "corner_sofa" : "sofa", .4);
  if (!sofa) sofa = main_piece(f, "sofa", .4);
  if (sofa) {
    const auto table = f.in_front(*sofa, "coffee_table", .35, false);
    if (table && random.chance(.6)) f.in_front(*table, "armchair", .35, true);
    if (table && random.chance(.4)) f.on_top(*table, "top_plant");
  }
  for (int attempt = 0; attempt < 2; ++attempt) {  // not every low cabinet carries a television
    const auto low = f.on_wall("cabinet_low");
    if (low && f.on_top(*low, "tv")) break;
  }
  for (int64_t n = 1 + random.below(2); n > 0; --n) f.on_wall("cabinet_tall");
  if (random.chance(.5)) f.on_wall("floor_lamp");
  if (random.chance(.2)) f.hang_on_wall("wall_tv");
}

void dining(Furnisher& f) {
  auto& random = f.random();
  auto table = f.loose("dining_table");
  if (!table) table = f.loose("dining_table");
  if (table) {
    f.chairs(*table, 4 + random.below(5));
    if (random.chance(.4)) f.on_top(*table, "top_plant");
  }
  const auto low = f.on_wall("cabinet_low");
  if (low) f.on_top(*low, "table_lamp");
  f.on_wall("cabinet_tall");
}

void kitchen(Furnisher& f) {
  f.kitchen_run();
  auto table = f.loose("dining_table");
  if (!table) table = f.loose("dining_table");
  if (table) f.chairs(*table, 2 + f.random().below(3));
}

void office(Furnisher& f) {
  for (int64_t n = 1 + f.random().below(3); n > 0; --n) f.desk();
  f.on_wall("cabinet_tall");
  f.on_wall("cabinet_tall");
  f.on_wall("cabinet_low");
  if (f.random().chance(.5)) f.on_wall("floor_appliance");
}

void studio(Furnisher& f) {
  if (f.random().chance(.7)) f.kitchen_run();
  bedroom(f);
  living(f);
}

void everywhere(Furnisher& f) {
  auto& random = f.random();
  for (int64_t n = 1 + random.below(3); n > 0; --n) f.on_wall("floor_plant");
  f.hang("ceiling_lamp");
  if (f.room().outline.area() > 16) f.hang("ceiling_lamp");
  if (random.chance(.5)) f.hang_on_wall("wall_lamp");
  for (int64_t n = random.below(3); n > 0; --n) f.loose("chair");
}

using Weights = std::vector<std::pair<const char*, double>>;

const Weights& fill_roles(const std::string& kind) {
  static const std::map<std::string, Weights> roles = {{"living",
                                                        {{"sofa", 2},
                                                         {"armchair", 3},
                                                         {"cabinet_tall", 3},
                                                         {"cabinet_low", 2},
                                                         {"floor_plant", 2},
                                                         {"chair", 2},
                                                         {"coffee_table", 1}}},
                                                       {"bedroom",
                                                        {{"cabinet_tall", 4},
                                                         {"cabinet_low", 3},
                                                         {"bedside", 1},
                                                         {"chair", 2},
                                                         {"armchair", 2},
                                                         {"floor_plant", 2},
                                                         {"desk", 1}}},
                                                       {"office",
                                                        {{"desk", 3},
                                                         {"cabinet_tall", 3},
                                                         {"cabinet_low", 2},
                                                         {"desk_chair", 2},
                                                         {"chair", 2},
                                                         {"floor_plant", 2},
                                                         {"floor_appliance", 1}}},
                                                       {"dining",
                                                        {{"cabinet_tall", 3},
                                                         {"cabinet_low", 3},
                                                         {"chair", 3},
                                                         {"floor_plant", 2},
                                                         {"armchair", 1},
                                                         {"dining_table", 1}}},
                                                       {"kitchen",
                                                        {{"kitchen_appliance", 3},
                                                         {"cabinet_tall", 2},
                                                         {"cabinet_low", 2},
                                                         {"stool", 2},
                                                         {"chair", 2},
                                                         {"floor_plant", 1}}},
                                                       {"studio",
                                                        {{"cabinet_tall", 3},
                                                         {"cabinet_low", 2},
                                                         {"chair", 2},
                                                         {"armchair", 2},
                                                         {"floor_plant", 2},
                                                         {"desk", 2},
                                                         {"dining_table", 2}}}};
  return roles.at(kind);
}

void add_one(Furnisher& f, const std::string& role) {
  if (role == "chair" || role == "stool" || role == "armchair" || role == "desk_chair" ||
      role == "coffee_table") {
    f.loose(role);
  } else if (role == "dining_table") {
    if (const auto table = f.loose(role)) f.chairs(*table, 2 + f.random().below(4));
  } else if (role == "desk") {
    f.desk();
  } else {
    f.on_wall(role);
  }
}

void fill(Furnisher& f) {
  const double target = f.random().uniform(.30, .45);
  const Weights& roles = fill_roles(f.room().kind);
  std::vector<double> weights;
  for (const auto& [role, weight] : roles) weights.push_back(weight);
  int plants = 0;
  for (int attempt = 0; attempt < 40 && f.room().floor_cover() < target; ++attempt) {
    const std::string role = roles[f.random().weighted(weights)].first;
    if (role == "floor_plant" && ++plants > 2) continue;  // small and always fitting: no jungles
    add_one(f, role);
  }
}

}  // namespace

Room make_room(const ModelLibrary& library, const std::string& kind, bool test,
               const RandomStream& random) {
  Room room = make_empty_room(library, kind, test, random.child("shell"));
  Furnisher furnisher(library, test, room, random.child("furniture"));
  static const std::map<std::string, void (*)(Furnisher&)> recipes = {
      {"living", living}, {"bedroom", bedroom}, {"office", office},
      {"dining", dining}, {"kitchen", kitchen}, {"studio", studio}};
  recipes.at(room.kind)(furnisher);
  everywhere(furnisher);
  fill(furnisher);
  return room;
}

}  // namespace switchyard::scan
