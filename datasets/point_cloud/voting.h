#pragma once
// Test-time voting of the published protocol: views of a cloud, each cut into fragments of one
// point per voxel; every point sums the class probabilities of all fragments that hold it.

#include "datasets/dataset.h"

namespace switchyard {

/// Rotation about z through the origin, then scale, then flip of x and y.
struct VoteView {
  double rot_z_pi = 0;
  double scale = 1;
  bool flip = false;
};

/// The published sets: indoor13 (ScanNet, S3DIS: four rotations at scales 1, 0.95, 1.05, then a
/// flip), outdoor10 (nuScenes: five scales, each plain and flipped).
std::vector<std::string> vote_view_names();
std::vector<VoteView> vote_views(const std::string& name);

/// `sample` seen under `view`; its tensors are not written.
Sample view_of(const Sample& sample, const VoteView& view);

/// votes[rows[m]] += softmax(logits[m]); votes [N, K], rows [M] i64 without repeats, logits [M, K].
/// Softmax in the type of the votes, on their device.
void add_votes(const at::Tensor& votes_NK, const at::Tensor& rows_M, const at::Tensor& logits_MK);

}  // namespace switchyard
