#pragma once

#include <ATen/core/Tensor.h>

namespace switchyard {

/// Neighbours of every active voxel for a k x k x k submanifold convolution: [N, k^3] i32, row of the
/// input voxel at offset (i, j, l) - centre (x slowest), -1 where none is active; same cloud only.
/// `grid_coord` [N, 3] i64 >= 0, unique per cloud; `batch` [N] i64. CPU.
/// Errors: k even, more than 2^31 voxels, coordinates over 2^19.
at::Tensor build_kernel_map(const at::Tensor& grid_coord_N3, const at::Tensor& batch_N, int64_t k);

}  // namespace switchyard
