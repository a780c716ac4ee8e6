#pragma once
// The 13 classes of the simulated rooms.

#include <cstdint>
#include <string>
#include <vector>

namespace switchyard::scan {

enum Label : uint8_t {
  kWall,
  kFloor,
  kCeiling,
  kDoor,
  kWindow,
  kChair,
  kSofa,
  kTable,
  kBed,
  kCabinet,
  kLamp,
  kPlant,
  kAppliance
};

/// Index = label.
inline const std::vector<std::string>& class_names() {
  static const std::vector<std::string> names = {"wall",  "floor", "ceiling",  "door", "window",
                                                 "chair", "sofa",  "table",    "bed",  "cabinet",
                                                 "lamp",  "plant", "appliance"};
  return names;
}

}  // namespace switchyard::scan
