#pragma once
// A heat grid as one path per colour (report-design 4): cells side by side of one colour become one
// run, so that 73 728 cells need some hundred nodes.

#include <map>

#include "eval/report/svg.h"

namespace switchyard {

/// Grids with more cells are drawn as level paths, without tips.
inline constexpr int64_t kMostTippedCells = 5000;

class LevelPaths {
 public:
  /// Cells of a row from left to right, rows one after the other.
  void cell(double x, double y, double w, double h, const std::string& classes);
  void draw(Svg& svg);

 private:
  struct Run {
    double x = 0, y = 0, w = 0, h = 0;
    std::string classes;
  };
  void close();

  Run run_;
  std::map<std::string, std::string> paths_;
};

}  // namespace switchyard
