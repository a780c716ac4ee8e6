#pragma once
// Clouds of voxels, concatenated. A training batch mixes domains: one crop per seen domain and
// slot.

#include "core/train/task.h"
#include "datasets/domain_index.h"
#include "domains/point_cloud/voting_scan.h"

namespace switchyard {

struct PointBatch : Batch {
  at::Tensor
      grid_coord;      ///< [N, 3] i64, on the CPU (serialization and kernel maps are built there)
  at::Tensor coord;    ///< [N, 3] f32 metres
  at::Tensor feat;     ///< [N, channels] f32
  at::Tensor segment;  ///< [N] i64, -1 = ignore
  at::Tensor seq_offset;  ///< [S+1] i64, on the CPU
  at::Tensor inverse;     ///< [points] i64, voxel of every input point; only for one whole scan
  /// One whole scan to be voted on: coord and segment are its points, feat has no channels,
  /// grid_coord and inverse are undefined.
  std::shared_ptr<const VotingScan> voting;

  void to(at::Device device) override;
  int64_t tokens() const override { return feat.size(0); }
  at::Tensor features() const override { return feat.cpu(); }
  at::Tensor labels() const override { return segment; }
  at::Tensor places() const override { return coord; }
};

/// One cloud as a batch, with its inverse.
std::unique_ptr<PointBatch> one_cloud(const VoxelCloud& cloud, const SampleInfo& info,
                                      int64_t domain);

/// What both sources draw from. `ids`: for every domain of the index, its number in the task's
/// list.
struct PointSourceData {
  std::shared_ptr<const Dataset> dataset;
  DomainIndex index;
  std::vector<int64_t> ids;
  std::shared_ptr<const CloudInput> input;
  uint64_t seed;
};

/// Endless: `clouds` crops a batch, cloud j from domain j mod D, a random scan each, so that batch
/// statistics always mix the domains.
class TrainSource : public BatchSource {
 public:
  TrainSource(PointSourceData data, int64_t clouds) : data_(std::move(data)), clouds_(clouds) {}
  std::unique_ptr<Batch> next() override;
  int64_t state() const override { return batch_; }
  void restore(int64_t batches) override { batch_ = batches; }

 private:
  PointSourceData data_;
  int64_t clouds_, batch_ = 0;
};

/// Finite: one whole scan a batch, not augmented, fixed order; with `voting` as a VotingScan.
class ScanSource : public BatchSource {
 public:
  explicit ScanSource(PointSourceData data, std::optional<VotingParams> voting = {})
      : data_(std::move(data)), voting_(std::move(voting)) {}
  std::unique_ptr<Batch> next() override;
  int64_t state() const override { return batch_; }
  void restore(int64_t batches) override { batch_ = batches; }

 private:
  PointSourceData data_;
  std::optional<VotingParams> voting_;
  int64_t batch_ = 0;
};

}  // namespace switchyard
