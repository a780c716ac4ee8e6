#include "datasets/point_cloud/scan/soup.h"

#include <algorithm>

#include "datasets/point_cloud/scan/classes.h"

namespace switchyard::scan {
namespace {

constexpr double kReveal = .14;

class SoupMaker {
 public:
  SoupMaker(const Room& room, const ModelLibrary& library) : room_(room), library_(library) {}

  Soup run() {
    for (int64_t wall = 0; wall < room_.outline.size(); ++wall) add_wall(wall);
    add_plane(0, kFloor, room_.floor_color);
    add_plane(room_.height, kCeiling, room_.ceiling_color);
    for (const Opening& o : room_.openings) add_opening(o);
    for (const PlacedModel& object : room_.objects)
      add_model(object.model, object.position, object.yaw);
    return std::move(soup_);
  }

 private:
  void triangle(const std::array<uint32_t, 3>& t, int64_t label, Rgb color) {
    soup_.triangles.push_back(t);
    soup_.labels.push_back(uint8_t(label));
    soup_.instances.push_back(instance_);
    soup_.colors.push_back(color);
  }

  uint32_t vertex(Vec3 p) {
    soup_.vertices.push_back({float(p.x), float(p.y), float(p.z)});
    return uint32_t(soup_.vertices.size() - 1);
  }

  void quad(Vec3 a, Vec3 b, Vec3 c, Vec3 d) {
    const uint32_t i = vertex(a);
    vertex(b), vertex(c), vertex(d);
    triangle({i, i + 1, i + 2}, kWall, room_.wall_color);
    triangle({i, i + 2, i + 3}, kWall, room_.wall_color);
  }

  Vec3 on_wall(int64_t wall, double s, double z, double outward = 0) const {
    const Vec2 p = room_.outline.start(wall) + s * room_.outline.along(wall) -
                   outward * room_.outline.inward(wall);
    return {p.x, p.y, z};
  }

  void panel(int64_t wall, double s0, double s1, double z0, double z1) {
    if (s1 - s0 < 1e-6 || z1 - z0 < 1e-6) return;
    quad(on_wall(wall, s0, z0), on_wall(wall, s1, z0), on_wall(wall, s1, z1),
         on_wall(wall, s0, z1));
  }

  void add_wall(int64_t wall) {
    std::vector<Opening> openings;
    for (const Opening& o : room_.openings) {
      if (o.wall == wall) openings.push_back(o);
    }
    std::sort(openings.begin(), openings.end(),
              [](const Opening& a, const Opening& b) { return a.s0 < b.s0; });
    double s = 0;
    for (const Opening& o : openings) {
      panel(wall, s, o.s0, 0, room_.height);
      panel(wall, o.s0, o.s1, 0, o.z0);
      panel(wall, o.s0, o.s1, o.z1, room_.height);
      add_reveal(o);
      s = o.s1;
    }
    panel(wall, s, room_.outline.wall_length(wall), 0, room_.height);
  }

  void add_reveal(const Opening& o) {
    const double corners[5][2] = {
        {o.s0, o.z0}, {o.s1, o.z0}, {o.s1, o.z1}, {o.s0, o.z1}, {o.s0, o.z0}};
    for (int k = 0; k < 4; ++k) {
      const auto [sa, za] = corners[k];
      const auto [sb, zb] = corners[k + 1];
      quad(on_wall(o.wall, sa, za), on_wall(o.wall, sb, zb), on_wall(o.wall, sb, zb, kReveal),
           on_wall(o.wall, sa, za, kReveal));
    }
  }

  // A fan; that of an L starts at its reflex corner, from which all of it is visible.
  void add_plane(double z, Label label, Rgb color) {
    const int64_t n = room_.outline.size(),
                  first = std::max<int64_t>(0, room_.outline.reflex_corner());
    const uint32_t base = uint32_t(soup_.vertices.size());
    for (int64_t i = 0; i < n; ++i) {
      const Vec2 p = room_.outline.corners()[(first + i) % n];
      vertex({p.x, p.y, z});
    }
    for (uint32_t i = 1; i + 1 < n; ++i) triangle({base, base + i, base + i + 1}, label, color);
  }

  void add_opening(const Opening& o) {
    const double outward = library_.entry(o.model).depth / 4;
    add_model(o.model, on_wall(o.wall, (o.s0 + o.s1) / 2, o.z0, outward),
              facing_yaw(room_.outline.inward(o.wall)));
  }

  void add_model(int64_t model, Vec3 at, double yaw) {
    ++instance_;
    const Mesh& mesh = library_.mesh(model);
    const double c = std::cos(yaw), s = std::sin(yaw);
    const uint32_t base = uint32_t(soup_.vertices.size());
    for (const auto& v : mesh.vertices)
      vertex({at.x + c * v[0] - s * v[1], at.y + s * v[0] + c * v[1], at.z + v[2]});
    for (size_t i = 0; i < mesh.triangles.size(); ++i) {
      const auto& t = mesh.triangles[i];
      triangle({base + t[0], base + t[1], base + t[2]}, library_.entry(model).label,
               mesh.colors[i]);
    }
  }

  const Room& room_;
  const ModelLibrary& library_;
  int32_t instance_ = 0;
  Soup soup_;
};

}  // namespace

Soup make_soup(const Room& room, const ModelLibrary& library) {
  return SoupMaker(room, library).run();
}

std::array<float, 3> color_at(const Soup& soup, uint32_t triangle, const Vec3& point) {
  double pattern = 1;
  if (soup.labels[triangle] == kFloor) {
    pattern += .10 * std::sin(7.3 * std::floor(point.x / .12)) + .04 * std::sin(31 * point.y);
  }
  std::array<float, 3> out;
  for (int k = 0; k < 3; ++k) {
    out[k] = float(std::clamp(pattern * soup.colors[triangle][k] / 255.0, 0.0, 1.0));
  }
  return out;
}

}  // namespace switchyard::scan
