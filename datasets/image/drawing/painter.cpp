#include "datasets/image/drawing/painter.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/base/error.h"

namespace switchyard::drawing {
namespace {

Point shifted(Point p, double dx, double dy) { return {p.x + dx, p.y + dy}; }

/// A colour of another hue, dark on light or light on dark.
Color contrasting(double hue, bool light, RandomStream& stream) {
  const double value = light ? stream.uniform(.88, .98) : stream.uniform(.12, .28);
  return from_hsv(hue + stream.uniform(.35, .65), stream.uniform(.08, .3), value);
}

Painter flat(const Figure& figure, RandomStream& stream) {
  const double hue = stream.uniform();
  const Color fill = from_hsv(hue, stream.uniform(.6, .85), stream.uniform(.6, .85));
  const Color ground = contrasting(hue, stream.chance(.7), stream);
  return [=](Point p) { return mix(ground, fill, figure.cover(figure.distance(p))); };
}

/// Light on a solid whose rim is rounded over `bevel`.
class Solid {
 public:
  Solid(const Figure& figure, Color albedo, double light, uint64_t seed)
      : figure_(figure), albedo_(albedo), light_{-std::cos(light), -std::sin(light)}, seed_(seed) {}

  Color at(Point p, double d) const {
    constexpr double kStep = .004, kAmbient = .38;
    const double slope = 1.7 * std::clamp(1 + d / (.5 * figure_.radius), 0., 1.);
    const double nx = slope * (figure_.distance(shifted(p, kStep, 0)) - d) / kStep,
                 ny = slope * (figure_.distance(shifted(p, 0, kStep)) - d) / kStep;
    const double length = std::sqrt(nx * nx + ny * ny + 1);
    const double facing = (.62 * (nx * light_.x + ny * light_.y) + .78) / length;
    const double half = (.33 * (nx * light_.x + ny * light_.y) + .94) / length;
    const double texture = 1 + .07 * value_noise(seed_, 24 * p.x, 24 * p.y);
    const double shade = (kAmbient + (1.1 - kAmbient) * std::max(facing, 0.)) * texture;
    return mix(scaled(albedo_, shade), grey(1), .65 * std::pow(std::max(half, 0.), 40));
  }

 private:
  Figure figure_;
  Color albedo_;
  Point light_;
  uint64_t seed_;
};

/// A wall or table: two tones, a slow gradient, grain along one direction.
Painter textured_ground(double hue, RandomStream& stream) {
  const uint64_t seed = stream.next();
  const Color base =
      from_hsv(hue + stream.uniform(.3, .7), stream.uniform(.12, .35), stream.uniform(.5, .78));
  const double tilt = stream.uniform(-.25, .25), grain = stream.uniform(5, 9);
  return [=](Point p) {
    const double slow = value_noise(seed, 2.5 * p.x, 2.5 * p.y),
                 fine = value_noise(seed + 1, grain * p.x, 5 * grain * p.y);
    return scaled(base, 1.05 + tilt * (p.y - .5) + .09 * slow + .1 * fine);
  };
}

Painter photo(const Figure& figure, RandomStream& stream) {
  const double hue = stream.uniform(), light = stream.uniform(.15, .85) * std::numbers::pi / 2;
  const Color albedo = from_hsv(hue, stream.uniform(.5, .8), stream.uniform(.65, .95));
  const Painter ground = textured_ground(hue, stream);
  const Solid solid(figure, albedo, light, stream.next());
  const double dx = .09 * std::cos(light), dy = .09 * std::sin(light);
  return [=](Point p) {
    const double d = figure.distance(p), inside = figure.cover(d);
    if (inside == 1) return solid.at(p, d);
    const double behind = figure.distance(shifted(p, -dx, -dy));
    const double shadow = std::clamp(.5 - behind / .09, 0., 1.);
    const Color below = scaled(ground(p), 1 - .6 * shadow);
    return inside == 0 ? below : mix(below, solid.at(p, d), inside);
  };
}

/// How dark a pencil line along the outline is; the hand shakes by `seed`.
double stroke(const Figure& figure, Point p, double width, uint64_t seed) {
  const double shake = .011 * value_noise(seed, 7 * p.x, 7 * p.y);
  return figure.cover(std::abs(figure.distance(p) + shake) - width);
}

Painter sketch(const Figure& figure, RandomStream& stream) {
  const uint64_t seed = stream.next();
  const Color pencil = grey(stream.uniform(.12, .3)), paper = grey(stream.uniform(.95, 1));
  const double width = std::max(.011, .55 * figure.pixel),
               pitch = std::max(.06, 3.2 * figure.pixel), side = stream.chance(.5) ? 1 : -1;
  return [=](Point p) {
    const double line =
        std::max(stroke(figure, p, width, seed), .55 * stroke(figure, p, .7 * width, seed + 1));
    const double along = side * (p.x - figure.center.x) + p.y - figure.center.y;
    const double beside = std::abs(along / pitch - std::round(along / pitch)) * pitch / 1.41;
    const bool shaded = along > .1 * figure.radius && figure.distance(p) < -.02;
    const double hatch = shaded ? .45 * figure.cover(beside - .5 * width) : 0;
    const double grain = .02 * value_noise(seed + 2, 90 * p.x, 90 * p.y);
    return mix(scaled(paper, 1 + grain), pencil, std::max(line, hatch));
  };
}

Painter cartoon(const Figure& figure, RandomStream& stream) {
  const double hue = stream.uniform();
  const Color fill = from_hsv(hue, .88, 1), dark = from_hsv(hue - .03, .95, .68),
              ground = from_hsv(hue + stream.uniform(.35, .65), .42, 1),
              spot = mix(ground, grey(1), .55);
  const double contour = .034, shift = .3 * figure.radius;
  const Point middle = {.5 + stream.uniform(-.08, .08), .5 + stream.uniform(-.08, .08)};
  return [=](Point p) {
    const double d = figure.distance(p);
    const double round = std::hypot(p.x - middle.x, p.y - middle.y) - .43;
    const double shade = figure.cover(-figure.distance(shifted(p, shift, .8 * shift)) - .01);
    const Color inside = mix(fill, dark, shade);
    const Color all = mix(mix(ground, spot, figure.cover(round)), inside, figure.cover(d));
    return mix(all, grey(.04), figure.cover(std::abs(d) - contour));
  };
}

Painter print(const Figure& figure, RandomStream& stream) {
  const uint64_t seed = stream.next();
  const Color ink = from_hsv(stream.uniform(), stream.uniform(.7, .95), stream.uniform(.3, .5)),
              paper = from_hsv(.11, stream.uniform(.1, .25), stream.uniform(.88, .96));
  const double pitch = std::max(1. / 18, 2.9 * figure.pixel), turn = stream.uniform(.3, .6),
               c = std::cos(turn), s = std::sin(turn);
  return [=](Point p) {
    const double u = (c * p.x + s * p.y) / pitch, v = (c * p.y - s * p.x) / pitch;
    const double to_dot = std::hypot(u - std::round(u), v - std::round(v)) * pitch;
    const double inside = figure.cover(figure.distance(p));
    const double radius = pitch * std::lerp(.2, .66, inside);
    const double grain = 1 + .09 * value_noise(seed, 70 * p.x, 70 * p.y);
    return scaled(mix(paper, ink, figure.cover(to_dot - radius)), grain);
  };
}

struct Style {
  const char* name;
  Painter (*make)(const Figure&, RandomStream&);
};
constexpr Style kStyles[] = {
    {"flat", flat}, {"photo", photo}, {"sketch", sketch}, {"cartoon", cartoon}, {"print", print}};

}  // namespace

Figure Figure::placed(const std::string& name, int64_t size, double jitter, RandomStream& stream) {
  const double radius = .325 + jitter * stream.uniform(-.055, .055);
  const double free = jitter * (.5 - radius - .06), turn = .3 * jitter;
  const Point center = {.5 + stream.uniform(-free, free), .5 + stream.uniform(-free, free)};
  return {Outline(name), center, radius, stream.uniform(-turn, turn),
          1. / static_cast<double>(size)};
}

double Figure::distance(Point p) const {
  const double x = (p.x - center.x) / radius, y = (p.y - center.y) / radius;
  const double c = std::cos(angle), s = std::sin(angle);
  return radius * outline.distance({c * x + s * y, c * y - s * x});
}

double Figure::cover(double d) const { return std::clamp(.5 - d / pixel, 0., 1.); }

const std::vector<std::string>& style_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> out;
    for (const Style& style : kStyles) out.emplace_back(style.name);
    return out;
  }();
  return names;
}

Painter make_painter(const std::string& style, Figure figure, RandomStream& stream) {
  check_name("make_painter", "style", style, style_names());
  const auto found = std::find(style_names().begin(), style_names().end(), style);
  return kStyles[found - style_names().begin()].make(figure, stream);
}

}  // namespace switchyard::drawing
