#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

namespace switchyard {

/// [N, k^3] i32: the voxel at each offset of a k x k x k window around each voxel, x slowest, of
/// the same cloud; -1 where there is none. `grid` [N, 3] i64, unique per cloud, `offset` [B+1] on
/// the CPU; the map lies on the device of `grid`. On the CPU a cloud with a small bounding box uses
/// a dense table, else a hash, and coordinates are below 2^20; on a GPU they are below 2^16, as
/// serialize() asks for, and not checked here. Errors: even kernel size, coordinates out of range,
/// 2^16 clouds or more on a GPU.
at::Tensor neighbor_map(const at::Tensor& grid_N3, const std::vector<int64_t>& offset,
                        int64_t kernel_size);

}  // namespace switchyard
