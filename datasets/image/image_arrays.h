#pragma once
// A dataset of images that files hold as plain arrays; cifar10 and idx open them.

#include <filesystem>

#include "datasets/dataset.h"
#include "datasets/hash_split.h"
#include "datasets/image/image_shape.h"

namespace switchyard {

/// The images of one file; the row is the last part of a sample's uri ("test_batch/00042").
struct ImageBlock {
  std::string name, domain;
  std::string split;      ///< empty: by hash of the uri
  at::Tensor image_NCHW;  ///< u8, 1 or 3 channels, any strides
  at::Tensor label_N;     ///< u8, any stride
};

/// Samples: image [C,S,S] u8, label [1] i64.
class ImageArrays : public Dataset {
 public:
  /// `info` is complete. At least one block, none without images. Errors: a label without a class,
  /// `shape` (image_shape.h).
  ImageArrays(std::vector<ImageBlock> blocks, DatasetInfo info, const ImageShape& shape,
              const HashSplit& split);

  int64_t size() const override { return end_.back(); }
  SampleInfo sample_info(int64_t index) const override;
  Sample get(int64_t index, const Draw& draw) const override;
  const DatasetInfo& info() const override { return info_; }

 private:
  std::pair<const ImageBlock*, int64_t> locate(int64_t index) const;

  std::vector<ImageBlock> blocks_;
  std::vector<int64_t> end_;  ///< running sum of sizes
  DatasetInfo info_;
  ImageShape shape_;
  HashSplit split_;
};

}  // namespace switchyard
