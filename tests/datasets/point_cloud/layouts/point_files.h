#pragma once
// Writes PLY and PCD files, text or binary.

#include <fstream>
#include <iomanip>
#include <sstream>

#include "core/io/file.h"
#include "tests/datasets/point_cloud/layouts/scene.h"

namespace switchyard::test {

inline void write_bytes(const std::filesystem::path& file, const std::string& bytes) {
  std::filesystem::create_directories(file.parent_path());
  std::ofstream(file, std::ios::binary) << bytes;
}

template <class Number>
void append_bytes(std::string& out, Number value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

/// x y z red green blue alpha, as ScanNet's meshes have them, and rows of `face_F3` [F,3].
inline std::string ply_mesh(const Scene& scene, const at::Tensor& face_F3) {
  std::string out =
      cat("ply\nformat binary_little_endian 1.0\nelement vertex ", scene.coord.size(0),
          "\nproperty float x\nproperty float y\nproperty float z\nproperty uchar red\n"
          "property uchar green\nproperty uchar blue\nproperty uchar alpha\n"
          "element face ",
          face_F3.size(0), "\nproperty list uchar int vertex_indices\nend_header\n");
  for (int64_t i = 0; i < scene.coord.size(0); ++i) {
    for (int64_t c = 0; c < 3; ++c) append_bytes(out, scene.coord[i][c].item<float>());
    for (int64_t c = 0; c < 3; ++c) append_bytes(out, scene.color[i][c].item<uint8_t>());
    append_bytes(out, uint8_t{255});
  }
  for (int64_t f = 0; f < face_F3.size(0); ++f) {
    append_bytes(out, uint8_t{3});
    for (int64_t c = 0; c < 3; ++c) append_bytes(out, face_F3[f][c].item<int32_t>());
  }
  return out;
}

/// Text with positions, normals, colours and a label.
inline std::string ply_text(const Scene& scene) {
  std::ostringstream out;
  out << "ply\nformat ascii 1.0\nelement vertex " << scene.coord.size(0)
      << "\nproperty float x\nproperty float y\nproperty float z\nproperty float nx\nproperty "
         "float "
         "ny\nproperty float nz\nproperty uchar red\nproperty uchar green\nproperty uchar blue\n"
         "property int label\nend_header\n"
      << std::setprecision(9);
  for (int64_t i = 0; i < scene.coord.size(0); ++i) {
    for (int64_t c = 0; c < 3; ++c) out << scene.coord[i][c].item<float>() << ' ';
    for (int64_t c = 0; c < 3; ++c) out << scene.normal[i][c].item<float>() << ' ';
    for (int64_t c = 0; c < 3; ++c) out << int(scene.color[i][c].item<uint8_t>()) << ' ';
    out << scene.segment[i].item<int64_t>() << '\n';
  }
  return out.str();
}

inline std::string pcd_header(int64_t points, const std::string& data,
                              const std::string& fields = "x y z rgb intensity") {
  const size_t count = split(fields, ' ').size();
  std::string sizes, types, counts;
  for (size_t i = 0; i < count; ++i) sizes += " 4", types += " F", counts += " 1";
  return cat("# .PCD v0.7\nVERSION 0.7\nFIELDS ", fields, "\nSIZE", sizes, "\nTYPE", types,
             "\nCOUNT", counts, "\nWIDTH ", points, "\nHEIGHT 1\nVIEWPOINT 0 0 0 1 0 0 0\nPOINTS ",
             points, "\nDATA ", data, "\n");
}

/// Binary with positions, colours and intensity (the point's number).
inline std::string pcd_binary(const Scene& scene) {
  std::string out = pcd_header(scene.coord.size(0), "binary");
  for (int64_t i = 0; i < scene.coord.size(0); ++i) {
    for (int64_t c = 0; c < 3; ++c) append_bytes(out, scene.coord[i][c].item<float>());
    uint32_t rgb = 0;
    for (int64_t c = 0; c < 3; ++c) rgb = rgb << 8 | scene.color[i][c].item<uint8_t>();
    append_bytes(out, rgb);
    append_bytes(out, static_cast<float>(i));
  }
  return out;
}

}  // namespace switchyard::test
