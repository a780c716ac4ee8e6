#pragma once
// Colours and texture of drawings. Components are 0 .. 1 as displayed (sRGB, not linear).

#include <cstdint>

namespace switchyard::drawing {

struct Color {
  double r = 0, g = 0, b = 0;
};
inline Color grey(double level) { return {level, level, level}; }
/// a at t = 0, b at t = 1.
Color mix(Color a, Color b, double t);
Color scaled(Color color, double factor);
/// Hue, saturation, value, each 0 .. 1; the hue wraps.
Color from_hsv(double hue, double saturation, double value);

/// Smooth random values -1 .. 1 that vary over a length of about 1.
double value_noise(uint64_t seed, double x, double y);

}  // namespace switchyard::drawing
