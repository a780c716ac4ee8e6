#pragma once
// PNG of a figure through librsvg, where the build has it (CMake part figure-png).

#include <string>

namespace switchyard {

/// Why no PNG can be made, in words for the page; "" if it can.
std::string png_unavailable();

/// PNG bytes of an SVG element on white, `scale` pixels per unit. The SVG must not use CSS
/// variables. Errors: not an SVG; a build without librsvg.
std::string svg_to_png(const std::string& svg, double scale = 2);

}  // namespace switchyard
