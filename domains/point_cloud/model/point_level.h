#pragma once

#include <map>
#include <memory>

#include "core/moe/forward_context.h"
#include "domains/point_cloud/model/patches.h"
#include "domains/point_cloud/model/serialization.h"

namespace switchyard {

/// One resolution of a batch of clouds. Index tensors are built on the CPU once per level, shared by
/// encoder and decoder, and moved to the features' device.
struct PointLevel {
  at::Tensor grid_coord;   ///< [N, 3] i64, CPU
  at::Tensor coord;        ///< [N, 3]
  at::Tensor batch;        ///< [N] i64, CPU
  at::Tensor seq_offset;   ///< [S+1] i64, CPU
  Serialization serial;
  at::Tensor cluster;      ///< [N of the finer level] row of this level, on the device; undefined at level 0
  at::Tensor feat;         ///< [N, C]
  at::Tensor sparse_feat;  ///< what the CPE convolution of the next block reads

  int64_t size() const { return grid_coord.size(0); }
  /// Cached: neighbours of a k^3 kernel, on `device`.
  const at::Tensor& kernel_map(int64_t k, at::Device device);
  /// Cached: patches of a size.
  const Patches& patches(int64_t patch_size, PatchMode mode);
  /// Point read by each slot, and slot holding each point, along order row `row`; on `device`.
  struct Gather {
    at::Tensor slot_point, point_slot;
  };
  const Gather& gather(int64_t row, int64_t patch_size, PatchMode mode, at::Device device);
  /// What a MoE site may know of this level.
  TokenLevel tokens() const;

 private:
  std::map<int64_t, at::Tensor> kernel_maps_;
  std::map<std::pair<int64_t, PatchMode>, Patches> patches_;
  std::map<std::pair<int64_t, int64_t>, Gather> gathers_;
};

/// [N] i64 cloud of each row.
at::Tensor batch_from_offset(const at::Tensor& seq_offset);

}  // namespace switchyard
