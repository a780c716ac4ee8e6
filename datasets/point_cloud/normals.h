#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace switchyard {

/// Unit eigenvector of the smallest eigenvalue of a symmetric 3x3 matrix {xx, xy, xz, yy, yz, zz}.
/// (0, 0, 1) if the matrix is a multiple of the identity.
std::array<double, 3> smallest_eigenvector(const std::array<double, 6>& m);

/// Surface normal (sign arbitrary) of every voxel in `kept`: smallest principal axis of all points
/// in its 3x3x3 neighbourhood. Points of cell v are order[begin[v]] .. order[begin[v+1]-1]; `cells`
/// are non-negative grid coordinates below 2^20 in rising lexicographic order.
std::vector<std::array<double, 3>> estimate_normals(
    const std::vector<std::array<double, 3>>& points, const std::vector<size_t>& order,
    const std::vector<size_t>& begin, const std::vector<std::array<int64_t, 3>>& cells,
    const std::vector<size_t>& kept);

}  // namespace switchyard
