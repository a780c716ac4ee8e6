#include "eval/report/layer_grid.h"

#include <algorithm>
#include <cmath>

#include "core/base/text.h"
#include "eval/report/figures/figures.h"
#include "eval/report/number.h"
#include "eval/report/palette.h"

namespace switchyard {
namespace {

constexpr double kTop = 34;

}  // namespace

LayerGrids::LayerGrids(const PageLayers& page, int64_t grids)
    : page_(page),
      large_(static_cast<int64_t>(page.names.size() * page.tracks.front().size()) * grids >
             kMostTippedCells) {}

double LayerGrids::cell_width() const {
  const auto t = static_cast<double>(tracks());
  return tracks() <= 16 ? std::clamp(std::floor(144 / t), 18.0, 36.0)
                        : std::max(2.0, std::floor(288 / t));
}

double LayerGrids::cell_height() const {
  const auto n = static_cast<double>(layers());
  return layers() > 24 ? std::max(2.0, std::floor(150 / n))
                       : std::clamp(std::floor(116 / n), 12.0, 20.0);
}

double LayerGrids::panel_width() const {
  return kLabel + std::max(cell_width() * static_cast<double>(tracks()), 140.0) + 6;
}

bool LayerGrids::labelled(size_t l) const {
  const size_t step = std::max<size_t>(1, (layers() + 5) / 6);
  return l + 1 == layers() || (l % step == 0 && layers() - 1 - l >= (step + 1) / 2);
}

Svg LayerGrids::draw(const LayerGrid& grid) const {
  const double w = cell_width(), h = cell_height(), across = w * static_cast<double>(tracks());
  const double bottom = kTop + h * static_cast<double>(grid.rows.size());
  Svg svg(panel_width(), bottom + (tracks() <= 16 ? 18 : 6));
  svg.text(kLabel, 12, short_name(grid.name), "b");
  svg.text(kLabel, 26, grid.state, grid.unseen ? "s u" : "s g");
  LevelPaths paths;
  for (size_t l = 0; l < grid.rows.size(); ++l) {
    const double y = kTop + h * static_cast<double>(l);
    if (labelled(l)) svg.text(kLabel - 6, y + h / 2 + 4, cat(l), "s g", "end");
    for (size_t t = 0; t < tracks(); ++t)
      draw_cell(svg, paths, grid.rows[l][t], kLabel + w * static_cast<double>(t), y);
  }
  paths.draw(svg);
  for (size_t l = 0; l < grid.rows.size(); ++l)
    svg.rect(kLabel - 0.5, kTop + h * static_cast<double>(l) - 0.5, across + 1, h,
             cat("frame rowmark row", l, static_cast<int64_t>(l) == page_.reference ? "" : " off"));
  if (tracks() <= 16) name_tracks(svg, bottom);
  return svg;
}

void LayerGrids::name_tracks(Svg& svg, double bottom) const {
  const double w = cell_width();
  for (size_t t = 0; t < tracks(); ++t)
    if (const int64_t e = page_.tracks.back()[t]; e >= 0) {
      svg.about(expert_address(static_cast<int64_t>(layers()) - 1, e));
      svg.text(kLabel + w * (static_cast<double>(t) + 0.5), bottom + 13,
               w < 24 && tracks() > 8 ? cat(e) : expert_name(e), "s", "middle");
    }
  svg.about("");
}

void LayerGrids::draw_cell(Svg& svg, LevelPaths& paths, const GridCell& cell, double x,
                           double y) const {
  if (cell.classes.empty()) return;
  if (large_) return paths.cell(x, y, cell_width(), cell_height(), cell.classes + " cell");
  const double gap = cell_width() > 6 ? 1 : 0, w = cell_width() - gap, h = cell_height() - gap;
  svg.about(cell.expert);
  svg.rect(x, y, w, h, cell.classes + " cell", cell.tip);
  if (cell.hatched)
    svg.path(cat("M", svg_number(x), " ", svg_number(y + h), "L", svg_number(x + std::min(w, h)),
                 " ", svg_number(y + h - std::min(w, h))),
             "hatch");
  if (cell_width() >= 24 && cell_height() >= 12)
    svg.text(x + w / 2, y + h / 2 + 4, cell.text, "s " + text_on(cell.classes), "middle");
  svg.about("");
}

}  // namespace switchyard
