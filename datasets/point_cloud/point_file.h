#pragma once
// Single files of points, PLY and PCD through Open3D (https://www.open3d.org), text by ourselves.

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace switchyard {

/// Whether this build holds Open3D.
bool has_open3d();

/// ".ply", ".pcd": through Open3D. ".xyz" (x y z), ".xyzn" (x y z nx ny nz), ".xyzrgb" (x y z r g b
/// from 0 to 1): our own, since Open3D rounds their coordinates to float32 unasked.
const std::vector<std::string>& point_file_extensions();

/// The attributes of a file by name, each [N] or [N, columns], types as stored: "positions" always,
/// "colors", "normals", "intensity" and any other scalar property under its own name ("label").
/// Errors name the file, and the line in text: another extension, a damaged header, fewer points
/// than the header says, no x, y or z; no Open3D in this build.
std::map<std::string, at::Tensor> read_point_file(const std::filesystem::path& path);

struct MeshArrays {
  at::Tensor coord_V3;  ///< f32
  at::Tensor color_V3;  ///< u8; undefined if the file has none
  at::Tensor face_F3;   ///< i64, rows of coord_V3
};
/// Vertices and triangles of a PLY file, in its order. Errors: as above, a face of a vertex that is
/// not there.
MeshArrays read_mesh_file(const std::filesystem::path& path);

}  // namespace switchyard
