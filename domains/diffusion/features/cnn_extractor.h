#pragma once
// Features of a classifier trained on the labelled images of the data set itself. Scores under it
// compare models of that data; they are not the FIDs of the literature, and their name says so.

#include <filesystem>

#include "domains/diffusion/features/train_feature_net.h"

namespace switchyard {

/// Where a classifier comes from; written into its file.
struct CnnProvenance {
  std::string data_hash;  ///< of the data set (DatasetInfo::hash)
  int64_t classes = 0;
  FeatureNetParams training;
  /// "cnn-<8 hex digits over all of the above>-s<seed>"
  std::string id() const;
};

class CnnExtractor : public FeatureExtractor {
 public:
  /// The images of a split, "train" or "test".
  using ReadImages = std::function<LabelledImages(const std::string& split)>;

  /// Trains and measures the accuracy on the test split. Errors: see check_labelled.
  CnnExtractor(const CnnProvenance& provenance, const ReadImages& read, at::Device device);
  /// Reads what save() wrote. Errors: no such file, a damaged one, one of other provenance.
  CnnExtractor(const CnnProvenance& provenance, const std::filesystem::path& path,
               at::Device device);

  /// Weights as safetensors; id, data hash, classes, training and accuracy as its metadata.
  void save(const std::filesystem::path& path) const;

  FeatureSet extract(const at::Tensor& images_BCHW) override;
  std::string id() const override { return provenance_.id(); }
  double accuracy() const { return accuracy_; }  ///< on the test split, 0 .. 1

 private:
  CnnProvenance provenance_;
  at::Device device_;
  FeatureNet net_;
  double accuracy_ = 0;
};

/// The extractor of `folder`/<id>.safetensors; where that is missing, trains and saves it.
std::unique_ptr<CnnExtractor> cached_cnn(const std::filesystem::path& folder,
                                         const CnnProvenance& provenance,
                                         const CnnExtractor::ReadImages& read, at::Device device);

}  // namespace switchyard
