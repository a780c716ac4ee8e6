#pragma once
// Point clouds packed for the viewer of the page (assets/clouds.js decodes them; report-design 4).

#include <map>

#include "eval/report/point_view.h"

namespace switchyard {

/// Streams are base64 of zlib. Points are in Morton order, lengths in units of the largest extent.
struct Cloud {
  std::string name;     ///< in the picker
  std::string detail;   ///< below the picture
  int64_t domain = -1;  ///< place in the page's order
  int64_t points = 0;
  /// [6][N] u8: x low, x high, y low, ... of the differences of u16 positions to the point before.
  std::string position;
  std::map<int64_t, std::string> layers;  ///< layer of the slider -> [N] u8 track, 255 none
  PointFrame frame;                       ///< in the same units as the positions
};

inline constexpr int64_t kMostCloudPoints = 150'000;

/// At most `limit` of the finite points, evenly along the Morton curve. `tracks`: layer of the
/// slider -> track of every point of the sample, -1 none.
Cloud pack_cloud(const PointSample& sample, const std::map<int64_t, Indices>& tracks,
                 int64_t limit = kMostCloudPoints);

/// The viewer with its picker, hidden until the script finds WebGL. `picture` is the viewBox of the
/// cloud itself inside its static picture, the viewer's poster.
std::string viewer_html(const std::vector<Cloud>& clouds, const std::string& picture);

}  // namespace switchyard
