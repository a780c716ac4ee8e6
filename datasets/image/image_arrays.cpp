#include "datasets/image/image_arrays.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/tensor.h>

#include <algorithm>

#include "datasets/image/decode.h"

namespace switchyard {
namespace {

std::string number_of(int64_t row) {
  const std::string digits = std::to_string(row);
  return std::string(5 - std::min<size_t>(5, digits.size()), '0') + digits;
}

void check_labels(const ImageBlock& block, int64_t classes) {
  const int64_t bad = (block.label_N >= classes).sum().item<int64_t>();
  check(bad == 0, block.name, "labels without a class: got ", bad, " of ", block.label_N.size(0),
        ", expected 0 .. ", classes - 1);
}

}  // namespace

ImageArrays::ImageArrays(std::vector<ImageBlock> blocks, DatasetInfo info, const ImageShape& shape,
                         const HashSplit& split)
    : blocks_(std::move(blocks)),
      info_(std::move(info)),
      shape_(checked_shape(shape)),
      split_(split) {
  int64_t images = 0;
  for (const ImageBlock& block : blocks_) {
    check(block.image_NCHW.numel() > 0 || block.label_N.size(0) == 0, block.name,
          "images without pixels: got ", to_text(block.image_NCHW.sizes().vec()));
    check_labels(block, static_cast<int64_t>(info_.class_names.size()));
    end_.push_back(images += block.label_N.size(0));
  }
  check(images > 0, info_.source, "holds no image");
}

std::pair<const ImageBlock*, int64_t> ImageArrays::locate(int64_t index) const {
  check(index >= 0 && index < size(), info_.source, "no such sample: got ", index,
        ", expected 0 .. ", size() - 1);
  const size_t block = std::upper_bound(end_.begin(), end_.end(), index) - end_.begin();
  return {&blocks_[block], index - (block == 0 ? 0 : end_[block - 1])};
}

SampleInfo ImageArrays::sample_info(int64_t index) const {
  const auto [block, row] = locate(index);
  const std::string uri = block->name + "/" + number_of(row);
  return {uri, block->domain, uri, block->split.empty() ? split_.split_of(uri) : block->split};
}

Sample ImageArrays::get(int64_t index, const Draw&) const {
  const auto [block, row] = locate(index);
  const at::Tensor image_CHW = block->image_NCHW[row];
  const bool grey = image_CHW.size(0) == 1;
  Sample out{{}, sample_info(index)};
  out.tensors["image"] = fit_image(grey ? image_CHW[0] : image_CHW.permute({1, 2, 0}), shape_);
  out.tensors["label"] = block->label_N[row].to(at::kLong).view({1});
  return out;
}

}  // namespace switchyard
