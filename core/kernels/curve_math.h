#pragma once
// Positions of voxels along space-filling curves (Z order; Hilbert after Skilling 2004), the same
// code on the CPU and on a GPU.

#include "core/kernels/launch.h"

namespace switchyard::kernels {

/// Bit i goes to bit 3i.
SWITCHYARD_BOTH uint64_t spread_bits(uint64_t v) {
  v &= 0x1fffff;
  v = (v | v << 32) & 0x1f00000000ffffull;
  v = (v | v << 16) & 0x1f0000ff0000ffull;
  v = (v | v << 8) & 0x100f00f00f00f00full;
  v = (v | v << 4) & 0x10c30c30c30c30c3ull;
  return (v | v << 2) & 0x1249249249249249ull;
}

SWITCHYARD_BOTH uint64_t z_code(uint64_t x, uint64_t y, uint64_t z) {
  return spread_bits(x) << 2 | spread_bits(y) << 1 | spread_bits(z);
}

SWITCHYARD_BOTH uint64_t hilbert_code(uint64_t x, uint64_t y, uint64_t z, int depth) {
  uint64_t axes[3] = {x, y, z};
  for (int b = depth - 1; b >= 0; --b) {
    const uint64_t low = (1ull << b) - 1;
    for (uint64_t& axis : axes) {
      if (axis >> b & 1) {
        axes[0] ^= low;
      } else {
        const uint64_t t = (axes[0] ^ axis) & low;
        axes[0] ^= t;
        axis ^= t;
      }
    }
  }
  uint64_t gray = z_code(axes[0], axes[1], axes[2]);
  for (int shift = 1; shift < 3 * depth; shift *= 2) gray ^= gray >> shift;
  return gray;
}

SWITCHYARD_BOTH int64_t code_of(const CurveCode& p, int64_t cloud, int64_t voxel) {
  const int64_t* g = p.grid + 3 * voxel;
  const auto x = static_cast<uint64_t>(g[p.swaps_xy ? 1 : 0]),
             y = static_cast<uint64_t>(g[p.swaps_xy ? 0 : 1]), z = static_cast<uint64_t>(g[2]);
  const uint64_t along = p.hilbert ? hilbert_code(x, y, z, p.depth) : z_code(x, y, z);
  return cloud << 3 * p.depth | static_cast<int64_t>(along);
}

}  // namespace switchyard::kernels
