#include "eval/report/level_paths.h"

#include "eval/report/number.h"

namespace switchyard {

void LevelPaths::cell(double x, double y, double w, double h, const std::string& classes) {
  if (run_.classes == classes && run_.y == y && run_.h == h && run_.x + run_.w == x) {
    run_.w += w;
    return;
  }
  close();
  run_ = {x, y, w, h, classes};
}

void LevelPaths::close() {
  if (run_.classes.empty()) return;
  paths_[run_.classes] += "M" + svg_number(run_.x) + " " + svg_number(run_.y) + "h" +
                          svg_number(run_.w) + "v" + svg_number(run_.h) + "h-" +
                          svg_number(run_.w) + "z";
  run_ = {};
}

void LevelPaths::draw(Svg& svg) {
  close();
  for (const auto& [classes, d] : paths_) svg.path(d, classes);
  paths_.clear();
}

}  // namespace switchyard
