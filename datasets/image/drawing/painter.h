#pragma once
// Styles that draw one shape, as functions from a place to a colour.

#include <functional>

#include "core/base/random.h"
#include "datasets/image/drawing/color.h"
#include "datasets/image/drawing/outline.h"

namespace switchyard::drawing {

/// A shape in a picture. Lengths are in units of the picture's side, 0 .. 1 from the upper left.
struct Figure {
  Outline outline;
  Point center;
  double radius = 0, angle = 0;
  double pixel = 0;  ///< side of a pixel: edges are smoothed over it

  /// Shape `name`, placed by draws from `stream` in a picture of `size` pixels; `jitter` 0 .. 1
  /// scales how much they differ.
  static Figure placed(const std::string& name, int64_t size, double jitter, RandomStream& stream);
  double distance(Point p) const;
  /// Share of a pixel at distance `d` from an edge that lies inside of it.
  double cover(double d) const;
};

using Painter = std::function<Color(Point)>;

/// flat: one colour on plain ground. photo: a lit solid with a shadow on a textured ground. sketch:
/// pencil on paper. cartoon: thick contour, two tones, saturated. print: halftone dots in one ink.
const std::vector<std::string>& style_names();
/// Colours, light and texture come from `stream`. Errors: unknown style.
Painter make_painter(const std::string& style, Figure figure, RandomStream& stream);

}  // namespace switchyard::drawing
