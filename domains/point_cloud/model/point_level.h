#pragma once
// One resolution of a batch of point clouds: voxels, curves and everything derived from them.

#include <map>
#include <optional>

#include "core/kernels/segment.h"
#include "core/moe/forward_context.h"
#include "domains/point_cloud/model/patches.h"
#include "domains/point_cloud/model/serialization.h"

namespace switchyard {

/// N voxels, B clouds, R curves, all on the device of `coord`; offsets on the CPU. What is derived
/// is kept, so encoder and decoder share it.
class PointLevel {
 public:
  /// `grid` [N, 3] on the CPU, as it comes from the loader; `coord` [N, 3] floating, on the device
  /// of the network. `rows`: order of the curves (a permutation, empty: as they are). Errors: those
  /// of curve_depth() and serialize().
  PointLevel(at::Tensor grid_N3, at::Tensor coord_N3, std::vector<int64_t> offset,
             const std::vector<Curve>& curves, const std::vector<int64_t>& rows = {});
  /// From codes that are known already; sorts them and applies `rows`.
  PointLevel(at::Tensor grid_N3, at::Tensor coord_N3, std::vector<int64_t> offset,
             Serialization curves, const std::vector<int64_t>& rows);

  int64_t size() const { return grid_.size(0); }
  const at::Tensor& grid() const { return grid_; }
  const at::Tensor& coord() const { return coord_; }
  const std::vector<int64_t>& offset() const { return offset_; }
  const Serialization& curves() const { return curves_; }

  /// What attention along curve `row` needs.
  struct Gather {
    std::vector<PatchGroups::Group> groups;
    RowIndex point_of_slot;  ///< [slots]
    RowIndex slot_of_point;  ///< [N]
  };
  const Gather& gather(int64_t row, int64_t patch_size, PatchMode mode);
  /// [N, k^3] i32, see neighbor_map.h.
  const at::Tensor& neighbors(int64_t kernel_size);

  /// As routers and traces see it; `member_of` as in TokenLevel.
  TokenLevel tokens(const at::Tensor& member_of) const;

 private:
  /// Slots of the patches, the same along every curve.
  struct Slots {
    std::vector<PatchGroups::Group> groups;
    at::Tensor pad, unpad;
  };
  const Slots& slots(int64_t patch_size, PatchMode mode);

  at::Tensor grid_, coord_;
  std::vector<int64_t> offset_;
  Serialization curves_;
  std::map<std::pair<int64_t, PatchMode>, Slots> slots_;
  std::map<std::tuple<int64_t, int64_t, PatchMode>, Gather> gathers_;
  std::map<int64_t, at::Tensor> neighbors_;
};

/// The next coarser resolution: cells of 2^m voxels per axis, m = 0 where m exceeds the depth.
struct PooledLevel {
  std::shared_ptr<PointLevel> level;
  RowIndex cluster;  ///< [N of the finer level]: cell of each voxel
  Segments members;  ///< voxels of each cell, rising
};
/// Cells are numbered along curve 0 of `parent`. `stride`: a power of two. `rows` as above.
/// Errors: stride.
PooledLevel pool_level(const PointLevel& parent, int64_t stride, const std::vector<int64_t>& rows);

}  // namespace switchyard
