#pragma once
// All triangles of a room with label, object and colour: what the rays see.

#include "datasets/point_cloud/scan/room.h"

namespace switchyard::scan {

struct Soup {
  std::vector<std::array<float, 3>> vertices;
  std::vector<std::array<uint32_t, 3>> triangles;
  std::vector<uint8_t> labels;     ///< per triangle, see classes.h
  std::vector<int32_t> instances;  ///< per triangle; 0 = room shell
  std::vector<Rgb> colors;         ///< per triangle
};

/// Walls with openings and reveals (0.14 m), floor, ceiling, opening models and furniture.
Soup make_soup(const Room& room, const ModelLibrary& library);

/// Colour at a point: the triangle's colour times the plank pattern of the floor. Each in [0, 1].
std::array<float, 3> color_at(const Soup& soup, uint32_t triangle, const Vec3& point);

}  // namespace switchyard::scan
