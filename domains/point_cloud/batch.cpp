#include "domains/point_cloud/batch.h"

namespace switchyard {
namespace {

/// Appends clouds to a batch and closes it.
class Collator {
 public:
  void add(const VoxelCloud& cloud, const SampleInfo& info, int64_t domain) {
    grid_.push_back(cloud.grid_coord);
    coord_.push_back(cloud.coord);
    feat_.push_back(cloud.feat);
    segment_.push_back(cloud.segment);
    offset_.push_back(offset_.back() + cloud.feat.size(0));
    batch_->uris.push_back(info.uri);
    batch_->groups.push_back(info.group);
    batch_->domain_ids.push_back(domain);
  }
  std::unique_ptr<PointBatch> finish() {
    batch_->grid_coord = at::cat(grid_);
    batch_->coord = at::cat(coord_);
    batch_->feat = at::cat(feat_);
    batch_->segment = at::cat(segment_);
    batch_->seq_offset = at::tensor(offset_, at::kLong);
    return std::move(batch_);
  }

 private:
  std::unique_ptr<PointBatch> batch_ = std::make_unique<PointBatch>();
  std::vector<at::Tensor> grid_, coord_, feat_, segment_;
  std::vector<int64_t> offset_ = {0};
};

}  // namespace

std::unique_ptr<PointBatch> one_cloud(const VoxelCloud& cloud, const SampleInfo& info,
                                      int64_t domain) {
  auto batch = std::make_unique<PointBatch>();
  batch->grid_coord = cloud.grid_coord;
  batch->coord = cloud.coord;
  batch->feat = cloud.feat;
  batch->segment = cloud.segment;
  batch->inverse = cloud.inverse;
  batch->seq_offset = at::tensor({int64_t{0}, cloud.feat.size(0)}, at::kLong);
  batch->uris = {info.uri};
  batch->groups = {info.group};
  batch->domain_ids = {domain};
  return batch;
}

void PointBatch::to(at::Device device) {
  for (at::Tensor* tensor : {&coord, &feat, &segment}) *tensor = tensor->to(device);
}

std::unique_ptr<Batch> TrainSource::next() {
  Collator collator;
  for (int64_t j = 0; j < clouds_; ++j) {
    const Draw draw{data_.seed, 0, batch_ * clouds_ + j};
    const auto [domain, pick] = data_.index.draw(draw);
    const Sample scan = data_.dataset->get(pick, draw);
    collator.add(data_.input->train(scan, draw.stream("crop")), scan.info,
                 data_.ids[static_cast<size_t>(domain)]);
  }
  ++batch_;
  return collator.finish();
}

std::unique_ptr<Batch> ScanSource::next() {
  if (batch_ >= static_cast<int64_t>(data_.index.samples().size())) return nullptr;
  const auto [domain, sample] = data_.index.samples()[static_cast<size_t>(batch_)];
  const Draw draw{data_.seed, 0, sample};
  const Sample scan = data_.dataset->get(sample, draw);
  const int64_t id = data_.ids[static_cast<size_t>(domain)];
  ++batch_;
  if (!voting_) return one_cloud(data_.input->whole(scan, draw.stream("voxel")), scan.info, id);
  const auto voting =
      std::make_shared<VotingScan>(scan, data_.input, *voting_, draw.stream("voting"));
  const at::Tensor no_feat = at::empty({voting->coord().size(0), 0});
  auto batch = one_cloud({{}, voting->coord(), no_feat, voting->segment(), {}}, scan.info, id);
  batch->voting = voting;
  return batch;
}

}  // namespace switchyard
