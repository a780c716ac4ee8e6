#pragma once
// The crop of the published diffusion recipes (guided-diffusion, image_datasets.py,
// center_crop_arr): while the shorter side is at least twice the target, both sides are halved by
// the box filter; then bicubic to the target, rounding the longer side half to even; then the
// middle. Small images are enlarged.

#include <ATen/core/Tensor.h>

#include <array>
#include <vector>

namespace switchyard {

struct CropPlan {
  std::vector<std::array<int64_t, 2>>
      sizes;                      ///< [height, width]: the start, each halving, the last
  std::array<int64_t, 2> offset;  ///< of the crop in the last, [top, left]
};
/// Errors: a side or `size` below 1, so long and thin that the last stage would exceed
/// kMaxImagePixels (image_header.h).
CropPlan plan_center_crop(int64_t height, int64_t width, int64_t size);

/// u8 [H,W] or [H,W,C] -> [size,size] or [size,size,C], contiguous. Errors: as above.
at::Tensor center_crop(const at::Tensor& image, int64_t size);

/// The image of the last stage, before it is cropped.
at::Tensor resize_in_stages(const at::Tensor& image, const CropPlan& plan);

}  // namespace switchyard
