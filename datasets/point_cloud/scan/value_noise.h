#pragma once
// Smooth noise on a hashed lattice.

#include "datasets/point_cloud/scan/vec3.h"

#include <cstdint>

namespace switchyard::scan {

class ValueNoise {
 public:
  explicit ValueNoise(uint64_t seed) : seed_(seed) {}
  /// -1 .. 1, smooth over `scale` metres.
  double at(const Vec3& p, double scale) const;

 private:
  uint64_t seed_;
};

}  // namespace switchyard::scan
