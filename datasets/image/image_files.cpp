#include "datasets/image/image_files.h"

#include <ATen/ops/tensor.h>

#include "datasets/folder.h"
#include "datasets/image/decode.h"

namespace switchyard {

ImageFiles::ImageFiles(std::filesystem::path root, std::vector<ImageFile> files, DatasetInfo info,
                       const ImageShape& shape)
    : root_(std::move(root)),
      files_(std::move(files)),
      info_(std::move(info)),
      shape_(checked_shape(shape)) {
  check(!files_.empty(), root_.string(), "no image found");
  std::vector<std::filesystem::path> paths;
  std::string options = cat(to_text(shape_), "/", join(info_.class_names));
  for (const ImageFile& file : files_) {
    paths.push_back(root_ / file.info.uri);
    options += cat("\n", file.info.domain, "/", file.info.split, "/", file.label);
  }
  info_.hash = hash_of_files(root_, paths, options);
}

Sample ImageFiles::get(int64_t index, const Draw&) const {
  const ImageFile& file = files_.at(index);
  Sample out{{}, file.info};
  out.tensors["image"] = read_image(root_ / file.info.uri, shape_);
  out.tensors["label"] = at::tensor({file.label}, at::kLong);
  return out;
}

}  // namespace switchyard
