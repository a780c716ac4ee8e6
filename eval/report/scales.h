#pragma once
// Colour scales drawn beside heat grids. `left`: indent in pixels.

#include <array>

#include "eval/report/svg.h"

namespace switchyard {

/// Share of assignments from 0 to (experts / k) times uniform; the tick stands at uniform.
Svg share_scale(double left, double experts, double k);
/// `ends`: what the lowest, the middle and the highest colour mean.
Svg diverging_scale(double left, const std::string& title, const std::array<std::string, 3>& ends);

}  // namespace switchyard
