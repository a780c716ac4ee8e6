#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

namespace switchyard {

/// [N, k^3] i32: the voxel at each offset of a k x k x k window around each voxel, x slowest, of
/// the same cloud; -1 where there is none. `grid` [N, 3] i64 on the CPU, unique per cloud, each
/// coordinate below 2^20; `offset` [B+1]. The map lies on `device`; a GPU builds it itself where
/// coordinates and clouds are below 2^16. On the CPU a cloud with a small bounding box uses a dense
/// table, else a hash. Errors: even kernel size, coordinates out of range.
at::Tensor neighbor_map(const at::Tensor& grid_N3, const std::vector<int64_t>& offset,
                        int64_t kernel_size, at::Device device = at::kCPU);

}  // namespace switchyard
