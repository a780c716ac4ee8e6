#pragma once
// A dataset of labelled image files; image_folder and image_domains list them.

#include <filesystem>

#include "datasets/dataset.h"
#include "datasets/image/image_shape.h"

namespace switchyard {

struct ImageFile {
  SampleInfo info;  ///< uri: the file's path below the root
  int64_t label = 0;
};

/// Samples: image [C,S,S] u8, label [1] i64.
class ImageFiles : public Dataset {
 public:
  /// Hashes the files. `info` needs class names and source. Errors: no file, a file that is not
  /// there, `shape` (image_shape.h).
  ImageFiles(std::filesystem::path root, std::vector<ImageFile> files, DatasetInfo info,
             const ImageShape& shape);

  int64_t size() const override { return static_cast<int64_t>(files_.size()); }
  SampleInfo sample_info(int64_t index) const override { return files_.at(index).info; }
  /// Errors: see read_image (decode.h).
  Sample get(int64_t index, const Draw& draw) const override;
  const DatasetInfo& info() const override { return info_; }

 private:
  std::filesystem::path root_;
  std::vector<ImageFile> files_;
  DatasetInfo info_;
  ImageShape shape_;
};

}  // namespace switchyard
