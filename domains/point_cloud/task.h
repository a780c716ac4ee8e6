#pragma once
// Semantic segmentation of point clouds from several sensors.

#include "core/base/registry.h"
#include "datasets/domain_plan.h"
#include "datasets/point_cloud/corruption.h"
#include "domains/point_cloud/batch.h"
#include "domains/point_cloud/model/segmentor_config.h"

namespace switchyard {

struct PointTaskParams {
  std::vector<std::string> train_domains, test_domains;
  std::string train_split = "train", test_split = "test";
  int64_t clouds = 3, shots = 0;
  CorruptionParams corruption;
  VoxelParams voxel;
  std::vector<std::string> features;
  VotingParams voting;
  bool class_weights = true;
  double lovasz_weight = 0;
  static void declare(Fields<PointTaskParams>& f);
};

class PointCloudTask : public Task {
 public:
  /// `root`: the resolved config; reads nodes seed, dataset and model besides its own.
  PointCloudTask(const PointTaskParams& params, const ConfigNode& root);

  std::unique_ptr<Module> build_model() override;
  /// Splits: train, test, and test-vote: whole scans for test-time voting.
  std::unique_ptr<BatchSource> source(const std::string& split) override;
  std::vector<SequenceInfo> sequences(const std::string& split) override;
  at::Tensor loss(Module& model, Batch& batch, ForwardContext& context) override;
  /// Outputs: logits [N, classes], predicted [N], label [N], coord [N, 3], seq_offset [S+1], and
  /// inverse [points] for one whole scan. Voted scans: N are their points, and instead of logits
  /// there are votes [N, classes].
  Outputs predict(Module& model, Batch& batch, ForwardContext& context) override;
  std::vector<std::string> metrics() const override {
    return {"miou@voxel-common", "miou@voxel-present", "miou@voxel-all", "miou@test-vote"};
  }

  std::vector<std::string> domain_names() const override { return params_.test_domains; }
  std::vector<std::string> seen_domains() const override { return plan_.seen(); }
  std::vector<std::string> class_names() const override { return dataset_->info().class_names; }
  std::vector<std::string> channel_names() const override { return input_->channel_names(); }
  std::vector<std::string> domain_readers() const override {
    return model_config().domain_readers();
  }
  std::string data_hash() const override { return dataset_->info().hash; }
  std::string data_source() const override { return dataset_->info().source; }
  bool synthetic() const override { return dataset_->info().synthetic; }

 private:
  /// (frequency + 1e-4)^-1/2 over the voxels of the training scans, scaled to mean 1.
  const at::Tensor& class_weight();
  PointSegmentor::Output run(Module& model, PointBatch& batch, ForwardContext& context);
  /// The logits of run() for all voxels [N, classes].
  at::Tensor forward(Module& model, PointBatch& batch, ForwardContext& context);
  SegmentorConfig model_config() const;
  /// The model's condition for every domain of domain_names().
  const std::vector<int64_t>& domain_conditions();
  /// Sum of class probabilities over all views and fragments [voting points, classes].
  at::Tensor vote(Module& model, const PointBatch& batch, const ForwardContext& context);
  /// The training samples: all of the training domains, or `shots` of each.
  DomainIndex training_index() const;

  PointTaskParams params_;
  DomainPlan plan_;
  ConfigNode model_node_;
  uint64_t seed_;
  std::shared_ptr<const Dataset> dataset_;
  std::shared_ptr<const CloudInput> input_;
  at::Tensor class_weight_;
  std::vector<int64_t> domain_conditions_;  // empty: not yet known
};

}  // namespace switchyard
