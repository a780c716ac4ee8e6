#pragma once
// Triangle mesh with one colour per triangle.

#include <cstdint>
#include <vector>

#include "datasets/point_cloud/scan/vec3.h"

namespace switchyard::scan {

struct Mesh {
  std::vector<std::array<float, 3>> vertices;
  std::vector<std::array<uint32_t, 3>> triangles;  ///< indices into vertices, all in range
  std::vector<Rgb> colors;                         ///< one per triangle
};

}  // namespace switchyard::scan
