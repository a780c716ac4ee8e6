#pragma once
// Grid sampling of the published models (Pointcept's GridSample): one member per voxel for
// training, fragments that together hold every point for testing. Computed in double.

#include <ATen/core/Tensor.h>

#include "datasets/point_cloud/transforms/rows.h"

namespace switchyard {

/// Points grouped by voxel. Voxels stand in rising order of their unsigned key, an FNV-style hash
/// of the cell (h = 14695981039346656037, then per axis h *= 1099511628211, h ^= cell); members of
/// a voxel in rising order of the point.
class VoxelGroups {
 public:
  /// Errors, naming `where`: a coordinate that is not finite, more than 2^20 cells along an axis,
  /// two voxels with one key.
  VoxelGroups(const at::Tensor& coord_N3, double grid_size, const std::string& where);

  int64_t size() const { return count_M_.size(0); }
  const at::Tensor& point_cell() const { return cell_N3_; }  ///< [N, 3] i64, lowest 0
  const at::Tensor& point_key() const { return key_N_; }     ///< [N] i64 with the key's bits
  const at::Tensor& count() const { return count_M_; }       ///< [M] i64 members
  const at::Tensor& inverse() const { return inverse_N_; }   ///< [N] i64 voxel of each point
  const Row3& lowest_cell() const { return lowest_; }        ///< what was subtracted, in cells

  /// Member `pick[v] mod count[v]` of every voxel; pick [M] i64 >= 0. Returns points [M] i64.
  at::Tensor members(const at::Tensor& pick_M) const;
  /// Member `i mod count[v]` of every voxel.
  at::Tensor fragment(int64_t i) const;
  /// Fragments 0 .. fragments() - 1 hold every point: the largest count; 0 of no point.
  int64_t fragments() const { return largest_; }
  /// One number per voxel for members(): below the largest count, as published.
  at::Tensor draw(RandomStream& stream) const;
  /// Of points `rows` [M]: place inside the voxel relative to its middle, in voxels, [M, 3] f64.
  at::Tensor displacement(const at::Tensor& coord_N3, const at::Tensor& rows_M) const;

 private:
  void read_cells(const at::Tensor& coord_N3, const std::string& where);
  void group(const std::string& where);

  double grid_size_;
  Row3 lowest_{};
  int64_t largest_ = 0;
  at::Tensor cell_N3_, key_N_, count_M_, inverse_N_;
  std::vector<int64_t> order_, begin_;  ///< points by voxel; begin_ has M + 1 entries
};

/// Adds transform grid_sample.
void register_grid_sample();

}  // namespace switchyard
