#pragma once
// What belongs into each kind of room.

#include "datasets/point_cloud/scan/room.h"

namespace switchyard::scan {

/// A room of this kind with all its furniture; a pure function of the arguments.
Room make_room(const ModelLibrary& library, const std::string& kind, bool test,
               const RandomStream& random);

}  // namespace switchyard::scan
