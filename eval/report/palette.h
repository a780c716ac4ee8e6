#pragma once
// Colours of the report. Colour of a hue means an expert (track) and nothing else. Two themes share
// the class names; `theme_variables` gives their values, `figure_rules` the classes of every
// drawing.

#include <array>
#include <string>
#include <vector>

namespace switchyard {

inline constexpr int kShareGreys = 8, kShareLevels = 28, kDivergingLevels = 21, kPlainLevels = 21;

/// "--ink:#171a1e;..." for the light or the dark theme.
std::string theme_variables(bool dark);
/// CSS of the classes used inside drawings, in terms of variables.
std::string figure_rules();
/// The same with the light theme's values put in: for files, which know no variables.
std::string literal_sheet();

/// The 16 expert colours.
const std::vector<std::string>& expert_colours(bool dark);

/// Class of a cell that holds `share` of `experts` experts, of which `k` are chosen per token.
std::string share_class(double share, double experts, double k);
/// Diverging class of x on [-range, range].
std::string diverging_class(double x, double range);
/// Plain sequential class of x on [0, 1].
std::string plain_class(double x);
/// Class of text printed on a cell of that class.
std::string text_on(const std::string& cell_class);
/// Class of a track's colour; grey for -1 and beyond 16.
std::string expert_class(long track);
/// The same for lines.
std::string expert_stroke_class(long track);
/// Red, green, blue, 0 .. 255, of its colour in the light theme.
std::array<int, 3> expert_rgb(long track);
/// Of patches over a grey picture.
inline constexpr double kPatchOpacity = .62;

}  // namespace switchyard
