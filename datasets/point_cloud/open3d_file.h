#pragma once
// The only door to Open3D; not for other users than point_file. no_open3d.cpp stands in for it.

#include "datasets/point_cloud/point_file.h"

namespace switchyard {

/// What Open3D makes of a file whose header has been checked. Errors: its own.
std::map<std::string, at::Tensor> open3d_points(const std::filesystem::path& path);
MeshArrays open3d_mesh(const std::filesystem::path& path);

}  // namespace switchyard
