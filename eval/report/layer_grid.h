#pragma once
// Heat grids with a row per layer and a column per expert track.

#include "eval/report/layer_tracks.h"
#include "eval/report/level_paths.h"

namespace switchyard {

struct GridCell {
  std::string classes, text, tip, expert;  ///< `expert`: its address; no classes: an empty cell
  bool hatched = false;
};

struct LayerGrid {
  std::string name, state;  ///< first and second line above it
  bool unseen = false;
  std::vector<std::vector<GridCell>> rows;  ///< [layer][track]
};

class LayerGrids {
 public:
  static constexpr double kLabel = 24;  ///< indent of the cells

  /// `grids`: about how many there will be; many cells are drawn without tips. `page` must outlive
  /// this.
  LayerGrids(const PageLayers& page, int64_t grids);

  size_t tracks() const { return page_.tracks.front().size(); }
  Svg draw(const LayerGrid& grid) const;

 private:
  size_t layers() const { return page_.names.size(); }
  double cell_width() const;
  double cell_height() const;
  double panel_width() const;
  bool labelled(size_t layer) const;
  void draw_cell(Svg& svg, LevelPaths& paths, const GridCell& cell, double x, double y) const;
  void name_tracks(Svg& svg, double bottom) const;

  const PageLayers& page_;
  bool large_;
};

}  // namespace switchyard
