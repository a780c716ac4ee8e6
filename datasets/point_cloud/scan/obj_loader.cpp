#include "datasets/point_cloud/scan/obj_loader.h"

#include "core/base/error.h"
#include "datasets/point_cloud/scan/ear_clipping.h"
#include "datasets/point_cloud/scan/obj_text.h"

namespace switchyard::scan {
namespace {

constexpr size_t kMaxCorners = 1024;
constexpr double kMinCross = 1e-10;
constexpr uint32_t kUnused = ~0u;

class Loader {
 public:
  Loader(const std::string& name, const FileSource& files) : name_(name), materials_(files) {}

  Mesh run(std::string_view text) {
    while (!text.empty()) {
      const size_t end = std::min(text.find('\n'), text.size());
      ++line_number_;
      line(text.substr(0, end));
      text.remove_prefix(std::min(end + 1, text.size()));
    }
    return std::move(mesh_);
  }

 private:
  struct Corner {
    int64_t vertex, uv;  // uv -1: none
  };

  void line(std::string_view text) {
    where_.clear();
    ObjLine words(text, where_);
    const std::string_view key = words.word();
    if (key != "v" && key != "vt" && key != "f" && key != "usemtl" && key != "mtllib") return;
    where_ = cat(name_, ":", line_number_);
    if (key == "v") {
      const double x = words.number(), y = words.number(), z = words.number();
      vertices_.push_back({x, y, z});
      slots_.push_back(kUnused);
    } else if (key == "vt") {
      const double u = words.number();
      uvs_.push_back({u, words.rest().empty() ? 0 : words.number()});
    } else if (key == "f") {
      face(words);
    } else if (key == "usemtl") {
      material_ = &materials_.find(std::string(words.rest()));
    } else {
      materials_.add_file(std::string(words.rest()));
    }
  }

  void face(ObjLine& words) {
    corners_.clear();
    while (!words.rest().empty()) corners_.push_back(corner(words.word()));
    check(corners_.size() <= kMaxCorners, where_, "face has too many corners: got ",
          corners_.size(), ", expected at most ", kMaxCorners);
    if (corners_.size() < 3) return;
    points_.clear();
    for (const Corner& c : corners_) {
      points_.push_back(vertices_[c.vertex]);
      slot(c.vertex);
    }
    if (material_->opacity < kMinOpacity) return;
    for (const auto& t : triangulate(points_)) triangle(t);
  }

  void triangle(const std::array<int, 3>& t) {
    const Vec3 a = points_[t[0]], normal = cross(points_[t[1]] - a, points_[t[2]] - a);
    if (!(length(normal) >= kMinCross)) return;
    mesh_.triangles.push_back(
        {slot(corners_[t[0]].vertex), slot(corners_[t[1]].vertex), slot(corners_[t[2]].vertex)});
    mesh_.colors.push_back(color(t));
  }

  Rgb color(const std::array<int, 3>& t) const {
    Vec2 uv;
    bool textured = material_->texture != nullptr;
    for (int k : t) {
      textured = textured && corners_[k].uv >= 0;
      if (textured) uv = uv + (1.0 / 3) * uvs_[corners_[k].uv];
    }
    if (textured) return material_->texture->at(uv.x, uv.y);
    Rgb out;
    for (int k = 0; k < 3; ++k)
      out[k] = static_cast<unsigned char>(std::lround(255 * material_->diffuse[k]));
    return out;
  }

  Corner corner(std::string_view text) const {
    const size_t slash = std::min(text.find('/'), text.size());
    Corner out{index(text.substr(0, slash), vertices_.size()), -1};
    std::string_view uv = text.substr(std::min(slash + 1, text.size()));
    uv = uv.substr(0, std::min(uv.find('/'), uv.size()));
    if (!uv.empty()) out.uv = index(uv, uvs_.size());
    return out;
  }

  int64_t index(std::string_view text, size_t count) const {
    int64_t value = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
    check(code == std::errc() && end == text.data() + text.size(), where_, "not an index: got '",
          text, "'");
    const int64_t size = int64_t(count), zero_based = value < 0 ? size + value : value - 1;
    check(value >= -size && value <= size && value != 0, where_, "index out of range: got ", value,
          ", expected 1 .. ", size);
    return zero_based;
  }

  uint32_t slot(int64_t vertex) {
    if (slots_[vertex] == kUnused) {
      slots_[vertex] = uint32_t(mesh_.vertices.size());
      const Vec3 p = vertices_[vertex];
      mesh_.vertices.push_back({float(p.x), float(p.y), float(p.z)});
    }
    return slots_[vertex];
  }

  std::string name_, where_;
  int64_t line_number_ = 0;
  Materials materials_;
  const Material* material_ = &materials_.find("");
  std::vector<Vec3> vertices_;
  std::vector<Vec2> uvs_;
  std::vector<uint32_t> slots_;  // vertex of the file -> vertex of the mesh
  std::vector<Corner> corners_;
  std::vector<Vec3> points_;
  Mesh mesh_;
};

}  // namespace

Mesh load_obj(std::string_view text, const std::string& name, const FileSource& files) {
  return Loader(name, files).run(text);
}

}  // namespace switchyard::scan
