#include "datasets/image/drawing/color.h"

#include <algorithm>
#include <cmath>

#include "core/base/random.h"

namespace switchyard::drawing {
namespace {

double corner(uint64_t seed, double x, double y) {
  const auto at = mix64(static_cast<uint64_t>(static_cast<int64_t>(x)) +
                        (static_cast<uint64_t>(static_cast<int64_t>(y)) << 32));
  return static_cast<double>(mix64(seed ^ at) >> 11) * 0x1.0p-52 - 1;
}

double eased(double t) { return t * t * (3 - 2 * t); }

}  // namespace

Color mix(Color a, Color b, double t) {
  return {a.r + (b.r - a.r) * t, a.g + (b.g - a.g) * t, a.b + (b.b - a.b) * t};
}

Color scaled(Color color, double factor) {
  return {color.r * factor, color.g * factor, color.b * factor};
}

Color from_hsv(double hue, double saturation, double value) {
  const auto component = [&](double shift) {
    const double at = std::fmod(hue - std::floor(hue) + shift, 1.) * 6;
    return value * (1 - saturation + saturation * std::clamp(std::abs(at - 3) - 1, 0., 1.));
  };
  return {component(0), component(2. / 3), component(1. / 3)};
}

double value_noise(uint64_t seed, double x, double y) {
  const double x0 = std::floor(x), y0 = std::floor(y);
  const double u = eased(x - x0), v = eased(y - y0);
  const double top = std::lerp(corner(seed, x0, y0), corner(seed, x0 + 1, y0), u);
  const double bottom = std::lerp(corner(seed, x0, y0 + 1), corner(seed, x0 + 1, y0 + 1), u);
  return std::lerp(top, bottom, v);
}

}  // namespace switchyard::drawing
