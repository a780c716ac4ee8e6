#include "datasets/point_cloud/scan/value_noise.h"

#include "core/base/random.h"

namespace switchyard::scan {
namespace {

double corner(uint64_t seed, int64_t x, int64_t y, int64_t z) {
  const uint64_t key = uint64_t(x) * 0x9E3779B97F4A7C15ull ^ uint64_t(y) * 0xC2B2AE3D27D4EB4Full ^
                       uint64_t(z) * 0x165667B19E3779F9ull;
  return double(mix64(seed ^ key) >> 11) * 0x1.0p-52 - 1;
}

double smooth(double t) { return t * t * (3 - 2 * t); }
double lerp(double a, double b, double t) { return a + (b - a) * t; }

}  // namespace

double ValueNoise::at(const Vec3& p, double scale) const {
  const uint64_t seed = mix64(seed_ + uint64_t(scale * 1e6));
  const double fx = std::floor(p.x / scale), fy = std::floor(p.y / scale),
               fz = std::floor(p.z / scale);
  const double tx = smooth(p.x / scale - fx), ty = smooth(p.y / scale - fy),
               tz = smooth(p.z / scale - fz);
  const int64_t x = int64_t(fx), y = int64_t(fy), z = int64_t(fz);
  double planes[2];
  for (int k = 0; k < 2; ++k) {
    const double low = lerp(corner(seed, x, y, z + k), corner(seed, x + 1, y, z + k), tx);
    const double high = lerp(corner(seed, x, y + 1, z + k), corner(seed, x + 1, y + 1, z + k), tx);
    planes[k] = lerp(low, high, ty);
  }
  return lerp(planes[0], planes[1], tz);
}

}  // namespace switchyard::scan
