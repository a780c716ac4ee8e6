#include "eval/report/point_view.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <map>

#include "core/base/text.h"
#include "eval/report/palette.h"

namespace switchyard {
namespace {

constexpr double kTurn = 0.61, kTilt = 0.87;  // radians: about the vertical, above the horizon
constexpr double kCeiling = 0.85, kOuter = 0.005;
constexpr int64_t kLargestSplat = 4;
constexpr char kGrey[] = "#9aa2ab";

double quantile(std::vector<double> values, double q) {
  if (values.empty()) return 0;
  const auto at = static_cast<int64_t>(q * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), values.begin() + at, values.end());
  return values[static_cast<size_t>(at)];
}

/// Points on the screen: right, up, nearness.
struct Screen {
  Indices point;
  std::vector<double> right, up, near;
  double ceiling = 0;

  explicit Screen(const PointSample& sample) {
    std::vector<double> height;
    for (size_t i = 2; i < sample.coord.size(); i += 3)
      if (std::isfinite(sample.coord[i])) height.push_back(sample.coord[i]);
    ceiling = quantile(height, kCeiling);
    for (int64_t n = 0; n < sample.points(); ++n) {
      const float* p = sample.coord.data() + 3 * n;
      const bool finite = std::isfinite(p[0]) && std::isfinite(p[1]) && std::isfinite(p[2]);
      if (finite && p[2] <= ceiling) add(n, p);
    }
  }

  void add(int64_t n, const float* p) {
    const double depth = p[1] * std::cos(kTurn) - p[0] * std::sin(kTurn);
    point.push_back(n);
    right.push_back(p[0] * std::cos(kTurn) + p[1] * std::sin(kTurn));
    up.push_back(p[2] * std::cos(kTilt) + depth * std::sin(kTilt));
    near.push_back(p[2] * std::sin(kTilt) - depth * std::cos(kTilt));
  }
};

struct Range {
  double lo, hi;
  explicit Range(const std::vector<double>& values)
      : lo(quantile(values, kOuter)), hi(quantile(values, 1 - kOuter)) {}
  double span() const { return std::max(hi - lo, 1e-9); }
  double middle() const { return (lo + hi) / 2; }
};

int64_t splat_side(int64_t cells, size_t points) {
  const double side = std::sqrt(0.6 * static_cast<double>(cells) / static_cast<double>(points + 1));
  return std::clamp<int64_t>(std::lround(side), 1, kLargestSplat);
}

/// A cell's path follows the pen of its track: relative moves keep it short.
struct Pen {
  int64_t x = 0, y = 0;
  std::string d;
  void run(int64_t column, int64_t row, int64_t length) {
    d += d.empty() ? cat("M", column, " ", row) : cat("m", column - x, " ", row - y);
    d += cat("h", length);
    x = column + length, y = row;
  }
};

template <typename T>
void append(std::string& out, T value) {
  char bytes[sizeof(T)];
  std::memcpy(bytes, &value, sizeof(T));
  out.append(bytes, sizeof(T));
}

void append_colour(std::string& out, int64_t track) {
  const std::string hex =
      track >= 0 && track < 16 ? expert_colours(false)[static_cast<size_t>(track)] : kGrey;
  for (size_t at : {1, 3, 5}) out += static_cast<char>(std::stoi(hex.substr(at, 2), nullptr, 16));
}

}  // namespace

PointSamples read_point_samples(const SampleFile& file) {
  PointSamples out{file.selection(), file.sites(), {}};
  for (const std::string& prefix : file.of_kind("PointSet"))
    out.samples.push_back({file.sample(prefix), file.coord(prefix, 3)});
  return out;
}

PointFrame frame_of(const PointSample& sample) {
  const Screen screen(sample);
  const Range right(screen.right), up(screen.up), near(screen.near);
  const double r = right.middle(), u = up.middle(), n = near.middle();
  const double c = std::cos(kTurn), s = std::sin(kTurn), ct = std::cos(kTilt), st = std::sin(kTilt);
  PointFrame out;
  out.centre = {r * c - u * s * st + n * s * ct, r * s + u * c * st - n * c * ct, u * ct + n * st};
  out.half = std::max(up.span(), right.span() * 3 / 4) / 2;
  out.radius = near.span() / 2;
  out.ceiling = screen.ceiling;
  return out;
}

PointView view_points(const PointSample& sample, int64_t columns, int64_t rows) {
  const Screen screen(sample);
  const Range right(screen.right), up(screen.up);
  const int64_t side = splat_side(columns * rows, screen.point.size());
  const double scale = std::min(static_cast<double>(columns - side) / right.span(),
                                static_cast<double>(rows - side) / up.span());
  PointView out{columns, rows, Indices(static_cast<size_t>(columns * rows), -1)};
  std::vector<double> nearest(out.point.size(), -std::numeric_limits<double>::infinity());
  for (size_t i = 0; i < screen.point.size(); ++i) {
    const double x = (screen.right[i] - right.middle()) * scale + (columns - side) / 2.0,
                 y = (up.middle() - screen.up[i]) * scale + (rows - side) / 2.0;
    if (x < 0 || y < 0 || x > columns - side || y > rows - side) continue;
    for (int64_t cell = 0; cell < side * side; ++cell) {
      const auto at = static_cast<size_t>((std::lround(y) + cell / side) * columns +
                                          std::lround(x) + cell % side);
      if (screen.near[i] > nearest[at])
        nearest[at] = screen.near[i], out.point[at] = screen.point[i];
    }
  }
  return out;
}

void draw_points(Svg& svg, const PointView& view, const Indices& track, double x, double y,
                 int64_t pixels) {
  const auto shown = [&](int64_t row, int64_t column) -> int64_t {
    const int64_t n = view.point[static_cast<size_t>(row * view.columns + column)];
    return n < 0 ? -2 : std::min<int64_t>(track[static_cast<size_t>(n)], 16);
  };
  std::map<std::string, Pen> pens;
  for (int64_t row = 0; row < view.rows; ++row)
    for (int64_t column = 0, end; column < view.columns; column = end) {
      const int64_t here = shown(row, column);
      for (end = column + 1; end < view.columns && shown(row, end) == here;) ++end;
      if (here > -2)
        pens[expert_stroke_class(here)].run(pixels * column, pixels * row + pixels / 2,
                                            pixels * (end - column));
    }
  Svg picture(static_cast<double>(pixels * view.columns), static_cast<double>(pixels * view.rows));
  for (const auto& [name, pen] : pens) picture.path(pen.d, name + " splat");
  svg.place(picture, x, y);
}

std::string points_ply(const PointSample& sample, const Indices& expert, const Indices& track) {
  std::string out = cat("ply\nformat binary_little_endian 1.0\ncomment ", sample.domain,
                        "\nelement vertex ", sample.points(),
                        "\nproperty float x\nproperty float y\nproperty float z\nproperty uchar "
                        "red\nproperty uchar green\nproperty uchar blue\nproperty short "
                        "expert\nend_header\n");
  for (size_t n = 0; n < expert.size(); ++n) {
    for (size_t c = 0; c < 3; ++c) append(out, sample.coord[3 * n + c]);
    append_colour(out, track[n]);
    append(out, static_cast<int16_t>(expert[n]));
  }
  return out;
}

}  // namespace switchyard
