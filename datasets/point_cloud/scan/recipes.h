#pragma once
// What belongs into each kind of room.

#include "datasets/point_cloud/scan/room.h"

namespace switchyard::scan {

/// A room with all its furniture; a pure function of library, side of the split and stream.
Room make_room(const ModelLibrary& library, bool test, const RandomStream& random);

}  // namespace switchyard::scan
