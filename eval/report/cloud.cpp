#include "eval/report/cloud.h"

#include <zlib.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/io/json.h"
#include "eval/report/base64.h"
#include "eval/report/page.h"

namespace switchyard {
namespace {

using Bytes = std::vector<uint8_t>;
using Grid = std::array<uint16_t, 3>;

constexpr double kLargest = 65535;
constexpr uint8_t kNone = 255;

std::string packed(const Bytes& bytes) {
  uLongf size = compressBound(bytes.size());
  Bytes out(size);
  const int status = compress2(out.data(), &size, bytes.data(), bytes.size(), Z_BEST_COMPRESSION);
  check(status == Z_OK, "cloud", "zlib cannot compress ", bytes.size(), " bytes: status ", status);
  out.resize(size);
  return base64(out);
}

bool finite(const float* p) {
  return std::isfinite(p[0]) && std::isfinite(p[1]) && std::isfinite(p[2]);
}

/// Smallest corner and largest extent of the finite points.
struct Extent {
  std::array<double, 3> lo{};
  double span = 1;

  explicit Extent(const PointSample& sample) {
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    std::array<double, 3> hi{-kInfinity, -kInfinity, -kInfinity};
    lo = {kInfinity, kInfinity, kInfinity};
    for (int64_t n = 0; n < sample.points(); ++n)
      if (const float* p = sample.coord.data() + 3 * n; finite(p))
        for (size_t c = 0; c < 3; ++c)
          lo[c] = std::min<double>(lo[c], p[c]), hi[c] = std::max<double>(hi[c], p[c]);
    span = std::max({hi[0] - lo[0], hi[1] - lo[1], hi[2] - lo[2], 1e-9});
  }

  double unit(size_t axis, double x) const { return (x - lo[axis]) / span; }
  Grid cell(const float* p) const {
    Grid out;
    for (size_t c = 0; c < 3; ++c)
      out[c] = static_cast<uint16_t>(std::lround(unit(c, p[c]) * kLargest));
    return out;
  }
};

uint64_t morton(const Grid& cell) {
  uint64_t key = 0;
  for (int bit = 15; bit >= 0; --bit)
    for (uint16_t x : cell) key = key << 1 | (x >> bit & 1);
  return key;
}

/// Finite points along the Morton curve, evenly thinned to `limit`.
Indices chosen_points(const PointSample& sample, const Extent& extent, int64_t limit) {
  std::vector<std::pair<uint64_t, int64_t>> order;
  for (int64_t n = 0; n < sample.points(); ++n)
    if (const float* p = sample.coord.data() + 3 * n; finite(p))
      order.emplace_back(morton(extent.cell(p)), n);
  std::sort(order.begin(), order.end());
  const auto all = static_cast<int64_t>(order.size()), count = std::min(all, limit);
  Indices out;
  for (int64_t i = 0; i < count; ++i)
    out.push_back(order[static_cast<size_t>(i * all / count)].second);
  return out;
}

Bytes position_planes(const PointSample& sample, const Extent& extent, const Indices& points) {
  const size_t n = points.size();
  Bytes out(6 * n);
  Grid before{};
  for (size_t i = 0; i < n; ++i) {
    const Grid here = extent.cell(sample.coord.data() + 3 * points[i]);
    for (size_t c = 0; c < 3; ++c) {
      const auto step = static_cast<uint16_t>(here[c] - before[c]);
      out[2 * c * n + i] = static_cast<uint8_t>(step & 255);
      out[(2 * c + 1) * n + i] = static_cast<uint8_t>(step >> 8);
    }
    before = here;
  }
  return out;
}

PointFrame scaled(PointFrame frame, const Extent& extent) {
  for (size_t c = 0; c < 3; ++c) frame.centre[c] = extent.unit(c, frame.centre[c]);
  frame.ceiling = extent.unit(2, frame.ceiling);
  frame.half /= extent.span, frame.radius /= extent.span;
  return frame;
}

Json cloud_json(const Cloud& cloud) {
  Json layers = Json::object();
  for (const auto& [layer, stream] : cloud.layers) layers[std::to_string(layer)] = stream;
  return {{"detail", cloud.detail},
          {"domain", cloud.domain},
          {"points", cloud.points},
          {"centre", cloud.frame.centre},
          {"half", cloud.frame.half},
          {"radius", cloud.frame.radius},
          {"ceiling", cloud.frame.ceiling},
          {"position", cloud.position},
          {"layers", layers}};
}

}  // namespace

Cloud pack_cloud(const PointSample& sample, const std::map<int64_t, Indices>& tracks,
                 int64_t limit) {
  const Extent extent(sample);
  const Indices points = chosen_points(sample, extent, limit);
  Cloud out;
  out.points = static_cast<int64_t>(points.size());
  out.position = packed(position_planes(sample, extent, points));
  out.frame = scaled(frame_of(sample), extent);
  for (const auto& [layer, track] : tracks) {
    Bytes bytes;
    for (int64_t n : points) {
      const int64_t t = track[static_cast<size_t>(n)];
      bytes.push_back(t < 0 || t >= kNone ? kNone : static_cast<uint8_t>(t));
    }
    out.layers[layer] = packed(bytes);
  }
  return out;
}

std::string viewer_html(const std::vector<Cloud>& clouds, const std::string& picture) {
  if (clouds.empty()) return "";
  std::string out = cat("<div class=\"viewer\" data-picture=\"", picture,
                        "\" hidden><p class=\"controls\"><label>sample <select>");
  for (const auto& cloud : clouds) out += cat("<option>", escape_xml(cloud.name), "</option>");
  out +=
      "</select></label><label><input type=\"checkbox\" class=\"cut\" checked> cut away the "
      "highest 15&nbsp;%</label><span class=\"caption\"></span></p><div class=\"stage\" "
      "tabindex=\"0\" role=\"application\" aria-label=\"Turnable point cloud: arrow keys turn, "
      "plus "
      "and minus zoom, Home resets\"><div class=\"poster\"></div><p class=\"hint\">drag to turn · "
      "click, then wheel to zoom · shift and drag to move · double click resets</p></div>";
  for (const auto& cloud : clouds)
    out += cat("<script type=\"application/json\" class=\"cloud\">",
               script_json(cloud_json(cloud).dump()), "</script>");
  return out + "</div>";
}

}  // namespace switchyard
