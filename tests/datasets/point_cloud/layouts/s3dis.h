#pragma once
// Writes rooms in the form of S3DIS's release.

#include <iomanip>
#include <sstream>

#include "core/io/file.h"
#include "tests/datasets/point_cloud/layouts/scene.h"

namespace switchyard::test {

/// One object: x y z r g b a line.
inline void write_s3dis_object(const std::filesystem::path& file, const Scene& scene) {
  std::ostringstream out;
  out << std::fixed << std::setprecision(4);
  for (int64_t i = 0; i < scene.coord.size(0); ++i) {
    for (int64_t c = 0; c < 3; ++c) out << scene.coord[i][c].item<float>() << ' ';
    for (int64_t c = 0; c < 3; ++c)
      out << int(scene.color[i][c].item<uint8_t>()) << (c < 2 ? ' ' : '\n');
  }
  std::filesystem::create_directories(file.parent_path());
  write_text(file, out.str());
}

}  // namespace switchyard::test
