#include "eval/report/scales.h"

#include <algorithm>

#include "core/base/text.h"
#include "eval/report/number.h"
#include "eval/report/palette.h"

namespace switchyard {
namespace {

constexpr double kWidth = 240, kHeight = 44, kTitle = 11, kBar = 16, kThick = 11, kEnds = 41;

void bar(Svg& svg, double left, const char* letter, int levels, double width) {
  for (int i = 0; i < levels; ++i)
    svg.rect(left + width * i, kBar, width, kThick, cat(letter, i, " cell"));
}

}  // namespace

Svg share_scale(double left, double experts, double k) {
  constexpr double kLevel = 8;
  Svg svg(left + kWidth, kHeight);
  svg.text(left, kTitle, "share of assignments", "s g");
  bar(svg, left, "s", kShareLevels, kLevel);
  const double uniform = left + kLevel * kShareGreys;
  svg.line(uniform, kBar - 3, uniform, kBar + kThick + 3, "dark");
  svg.text(left, kEnds, "0", "s");
  svg.text(uniform, kEnds, "uniform " + percent_text(1 / experts, experts > 50 ? 1 : 0), "s b",
           "middle");
  svg.text(left + kLevel * kShareLevels, kEnds,
           ratio_text(std::max(experts / std::max(k, 1.0), 2.0)), "s", "end");
  return svg;
}

Svg diverging_scale(double left, const std::string& title, const std::array<std::string, 3>& ends) {
  constexpr double kLevel = 10, kFull = kLevel * kDivergingLevels;
  Svg svg(left + kWidth, kHeight);
  svg.text(left, kTitle, title, "s g");
  bar(svg, left, "d", kDivergingLevels, kLevel);
  svg.text(left, kEnds, ends[0], "s");
  svg.text(left + kFull / 2, kEnds, ends[1], "s b", "middle");
  svg.text(left + kFull, kEnds, ends[2], "s", "end");
  return svg;
}

}  // namespace switchyard
