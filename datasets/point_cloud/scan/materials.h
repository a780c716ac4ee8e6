#pragma once
// Materials of an OBJ model: MTL files and their textures.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "datasets/point_cloud/scan/vec3.h"

namespace switchyard::scan {

/// Gives the bytes of a file named relative to the model's folder, or nothing.
using FileSource = std::function<std::optional<std::string>(const std::string& name)>;

struct Texture {
  int width = 0, height = 0;
  std::vector<Rgb> pixels;  ///< row-major, top row first
  /// Texel at (u, v), v upwards, both repeating.
  Rgb at(double u, double v) const;
};

struct Material {
  std::array<double, 3> diffuse = {0.6, 0.6, 0.6};
  double opacity = 1;
  std::shared_ptr<const Texture> texture;  ///< null: use `diffuse`
};

class Materials {
 public:
  explicit Materials(FileSource files) : files_(std::move(files)) {}
  /// Adds all materials of an MTL file; a missing file adds none. Errors: malformed numbers.
  void add_file(const std::string& name);
  /// Grey 0.6 for an undefined name.
  const Material& find(const std::string& name) const;

 private:
  void add_line(const std::string& line, const std::string& where, Material*& current);
  std::shared_ptr<const Texture> texture(const std::string& name);

  FileSource files_;
  std::map<std::string, Material> materials_;
  std::map<std::string, std::shared_ptr<const Texture>> textures_;
};

}  // namespace switchyard::scan
