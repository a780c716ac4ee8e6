#pragma once
// One whole scan to be evaluated by test-time voting (datasets/point_cloud/voting).

#include "datasets/point_cloud/voting.h"
#include "domains/point_cloud/cloud_input.h"

namespace switchyard {

struct VotingParams {
  std::string views = "indoor13";
  std::optional<double> pre_grid_size;
  static void declare(Fields<VotingParams>& f);
};

class VotingScan {
 public:
  /// With a pre-grid one member per voxel of it, drawn from `stream`, takes part; every other point
  /// gets the result of its voxel.
  VotingScan(const Sample& sample, std::shared_ptr<const CloudInput> input,
             const VotingParams& params, RandomStream stream);

  int64_t views() const { return static_cast<int64_t>(views_.size()); }
  /// Clouds of one view with the voting points that they hold. Made when asked for: all at once
  /// would fill the memory.
  std::vector<VoxelFragment> fragments(int64_t view) const;

  int64_t voting_points() const { return voting_.tensors.at("coord").size(0); }
  /// Per voting point [P, ...] -> per point of the scan [N, ...].
  at::Tensor spread(const at::Tensor& per_voting_point) const;
  const at::Tensor& coord() const { return coord_; }      ///< [N, 3] f32
  const at::Tensor& segment() const { return segment_; }  ///< [N] i64, -1 = ignore

 private:
  Sample voting_;
  std::shared_ptr<const CloudInput> input_;
  std::vector<VoteView> views_;
  at::Tensor inverse_, coord_, segment_;
};

}  // namespace switchyard
