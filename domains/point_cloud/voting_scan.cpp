#include "domains/point_cloud/voting_scan.h"

#include "datasets/point_cloud/grid_sample.h"
#include "datasets/point_cloud/points.h"

namespace switchyard {

void VotingParams::declare(Fields<VotingParams>& f) {
  f.add("views", &VotingParams::views, "views of miou@test-vote: 13 indoors, 10 outdoors",
        Choices{vote_view_names()});
  f.add("pre_grid_size", &VotingParams::pre_grid_size,
        "metres; thins the scan before voting to one point per voxel", between(1e-4, 100));
}

VotingScan::VotingScan(const Sample& sample, std::shared_ptr<const CloudInput> input,
                       const VotingParams& params, RandomStream stream)
    : voting_(sample), input_(std::move(input)), views_(vote_views(params.views)) {
  const at::Tensor coord = rows_of(sample, "coord");
  coord_ = coord.to(at::kFloat);
  const auto segment = sample.tensors.find("segment");
  segment_ = segment == sample.tensors.end() ? at::full({coord.size(0)}, -1, at::kLong)
                                             : segment->second.to(at::kLong);
  if (!params.pre_grid_size) return;
  const VoxelGroups groups(coord, *params.pre_grid_size, sample.info.uri);
  take_points(voting_, groups.members(groups.draw(stream)));
  inverse_ = groups.inverse();
}

std::vector<VoxelFragment> VotingScan::fragments(int64_t view) const {
  return input_->fragments(view_of(voting_, views_.at(static_cast<size_t>(view))));
}

at::Tensor VotingScan::spread(const at::Tensor& per_voting_point) const {
  return inverse_.defined()
             ? per_voting_point.index_select(0, inverse_.to(per_voting_point.device()))
             : per_voting_point;
}

}  // namespace switchyard
