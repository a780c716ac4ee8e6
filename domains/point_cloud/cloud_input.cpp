#include "domains/point_cloud/cloud_input.h"

#include "datasets/point_cloud/grid_sample.h"
#include "datasets/point_cloud/points.h"

namespace switchyard {
namespace {

class VoxelizedInput : public CloudInput {
 public:
  explicit VoxelizedInput(const VoxelParams& params) : params_(params) {}
  std::vector<std::string> channel_names() const override { return params_.channel_names(); }
  VoxelCloud train(const Sample& sample, RandomStream stream) const override {
    return voxelize_train(sample, params_, stream);
  }
  VoxelCloud whole(const Sample& sample, RandomStream stream) const override {
    return voxelize(sample, params_, stream);
  }
  at::Tensor training_labels(const Sample& sample, RandomStream stream) const override {
    return voxelize(sample, params_, stream).segment;
  }
  std::vector<VoxelFragment> fragments(const Sample& sample) const override {
    return voxelize_fragments(sample, params_);
  }

 private:
  VoxelParams params_;
};

const std::map<std::string, std::vector<std::string>>& columns_of_keys() {
  static const std::map<std::string, std::vector<std::string>> all = {
      {"coord", {"x", "y", "z"}},
      {"color", {"red", "green", "blue"}},
      {"normal", {"nx", "ny", "nz"}},
      {"displacement", {"dx", "dy", "dz"}},
      {"intensity", {"intensity"}}};
  return all;
}

class CollectedInput : public CloudInput {
 public:
  CollectedInput(double grid, const std::vector<std::string>& features)
      : grid_(grid), features_(features) {
    std::vector<std::string> valid;
    for (const auto& [key, columns] : columns_of_keys()) valid.push_back(key);
    for (const auto& key : features_) check_name("task.features", "feature", key, valid);
  }

  std::vector<std::string> channel_names() const override {
    std::vector<std::string> out;
    for (const auto& key : features_) {
      const auto& columns = columns_of_keys().at(key);
      out.insert(out.end(), columns.begin(), columns.end());
    }
    return out;
  }

  VoxelCloud train(const Sample& sample, RandomStream) const override {
    check(
        sample.tensors.count("grid_coord") > 0, sample.info.uri,
        "training sample has no grid_coord: expected transform grid_sample in dataset.transforms");
    return collect(sample);
  }

  at::Tensor training_labels(const Sample& sample, RandomStream stream) const override {
    return train(sample, stream).segment;
  }

  VoxelCloud whole(const Sample& sample, RandomStream stream) const override {
    const VoxelGroups groups = group(sample);
    VoxelCloud out = collect(sampled(sample, groups, groups.members(groups.draw(stream))));
    out.inverse = groups.inverse();
    return out;
  }

  std::vector<VoxelFragment> fragments(const Sample& sample) const override {
    const VoxelGroups groups = group(sample);
    std::vector<VoxelFragment> out;
    for (int64_t i = 0; i < groups.fragments(); ++i) {
      const at::Tensor rows = groups.fragment(i);
      out.push_back({collect(sampled(sample, groups, rows)), rows});
    }
    return out;
  }

 private:
  VoxelGroups group(const Sample& sample) const {
    check(sample.tensors.count("grid_coord") == 0, sample.info.uri,
          "sample is grid-sampled already: a whole cloud is sampled at task.voxel.grid; "
          "keep transform grid_sample to the training splits");
    return {rows_of(sample, "coord"), grid_, sample.info.uri};
  }

  /// Points `rows` of the sample, with the keys that grid sampling adds.
  Sample sampled(const Sample& sample, const VoxelGroups& groups, const at::Tensor& rows) const {
    Sample out = sample;
    take_points(out, rows);
    out.tensors["grid_coord"] = groups.point_cell().index_select(0, rows);
    if (std::find(features_.begin(), features_.end(), "displacement") != features_.end())
      out.tensors["displacement"] = groups.displacement(rows_of(sample, "coord"), rows);
    return out;
  }

  VoxelCloud collect(const Sample& sample) const {
    const at::Tensor coord = rows_of(sample, "coord");
    std::vector<at::Tensor> columns;
    for (const auto& key : features_) {
      const auto found = sample.tensors.find(key);
      check(found != sample.tensors.end(), sample.info.uri, "sample has no ", key,
            ", which task.features asks for");
      columns.push_back(found->second.to(at::kFloat).view({coord.size(0), -1}));
    }
    const auto segment = sample.tensors.find("segment");
    return {sample.tensors.at("grid_coord"),
            coord.to(at::kFloat),
            at::cat(columns, 1),
            segment == sample.tensors.end() ? at::full({coord.size(0)}, -1, at::kLong)
                                            : segment->second.to(at::kLong),
            {}};
  }

  double grid_;
  std::vector<std::string> features_;
};

}  // namespace

std::unique_ptr<CloudInput> make_cloud_input(const VoxelParams& voxel,
                                             const std::vector<std::string>& features) {
  if (features.empty()) return std::make_unique<VoxelizedInput>(voxel);
  return std::make_unique<CollectedInput>(voxel.grid, features);
}

}  // namespace switchyard
