#pragma once
// What Open3D 0.16 does not check of the headers of PLY and PCD: it leaves points that are missing
// from the file, and coordinates that the header does not name, as whatever the memory held.

#include <cstdint>
#include <filesystem>

namespace switchyard {

/// Number of vertices of a PLY file. Errors: no PLY, no end of the header, a count that is no
/// number or larger than the file has bytes, no x, y or z.
int64_t check_ply_header(const std::filesystem::path& path);

/// Number of points of a PCD file. Errors: likewise; text with another number of lines or columns.
int64_t check_pcd_header(const std::filesystem::path& path);

}  // namespace switchyard
