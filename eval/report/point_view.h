#pragma once
// Point clouds kept by the evaluation and their pictures: a parallel view from above one corner,
// with a z-buffer.

#include <array>

#include "eval/report/kept_samples.h"
#include "eval/report/svg.h"

namespace switchyard {

struct PointSample : KeptSample {
  std::vector<float> coord;  ///< [N][3], z up
  bool kept = true;          ///< by the evaluation; false: taken from the trace for its NMI

  int64_t points() const { return static_cast<int64_t>(coord.size()) / 3; }
};

struct PointSamples {
  std::string selection;
  std::vector<std::string> sites;
  std::vector<PointSample> samples;  ///< of kind PointSet
};

/// Errors: shapes that do not fit.
PointSamples read_point_samples(const SampleFile& file);

/// The point seen at every cell, row by row, -1 for none.
struct PointView {
  int64_t columns = 0, rows = 0;
  Indices point;
};

/// Where the picture looks, so that the page's viewer can start from the same view.
struct PointFrame {
  std::array<double, 3> centre{};  ///< seen in the middle of the picture
  double half = 1;                 ///< of the picture's height
  double radius = 1;               ///< half the depth of the scene
  double ceiling = 0;              ///< z above which points are cut away
};
PointFrame frame_of(const PointSample& sample);

/// Looks down on a corner of the scene. The highest 15 % of the points are cut away, so that one
/// sees into a room; the scale ignores the outermost 0.5 % on each side.
PointView view_points(const PointSample& sample, int64_t columns, int64_t rows);

/// One path per track of `track` [N] (-1: grey), `pixels` pixels per cell.
void draw_points(Svg& svg, const PointView& view, const Indices& track, double x, double y,
                 int64_t pixels);

/// Binary PLY: x y z, red green blue of `track`, true expert.
std::string points_ply(const PointSample& sample, const Indices& expert, const Indices& track);

}  // namespace switchyard
