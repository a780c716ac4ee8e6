#include "domains/point_cloud/model/point_level.h"

#include <ATen/ops/index_select.h>
#include <ATen/ops/repeat_interleave.h>

#include "domains/point_cloud/model/kernel_map.h"

namespace switchyard {

const at::Tensor& PointLevel::kernel_map(int64_t k, at::Device device) {
  at::Tensor& map = kernel_maps_[k];
  if (!map.defined()) map = build_kernel_map(grid_coord, batch, k).to(device);
  return map;
}

const Patches& PointLevel::patches(int64_t patch_size, PatchMode mode) {
  const auto found = patches_.find({patch_size, mode});
  if (found != patches_.end()) return found->second;
  return patches_.emplace(std::pair(patch_size, mode), make_patches(seq_offset, patch_size, mode)).first->second;
}

const PointLevel::Gather& PointLevel::gather(int64_t row, int64_t patch_size, PatchMode mode, at::Device device) {
  Gather& gather = gathers_[{row, patch_size}];
  if (gather.slot_point.defined()) return gather;
  const Patches& p = patches(patch_size, mode);
  gather.slot_point = serial.order[row].index_select(0, p.pad).to(device);
  gather.point_slot = p.unpad.index_select(0, serial.inverse[row]).to(device);
  return gather;
}

TokenLevel PointLevel::tokens() const {
  const auto device = coord.device();
  return {seq_offset.to(device), serial.inverse[0].to(device), coord, {}, cluster};
}

at::Tensor batch_from_offset(const at::Tensor& seq_offset) {
  return at::repeat_interleave(seq_offset.slice(0, 1) - seq_offset.slice(0, 0, -1));
}

}  // namespace switchyard
