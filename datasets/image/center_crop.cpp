#include "datasets/image/center_crop.h"

#include <cmath>

#include "core/base/error.h"
#include "datasets/image/image_header.h"
#include "datasets/image/resize.h"

namespace switchyard {

CropPlan plan_center_crop(int64_t height, int64_t width, int64_t size) {
  check(height > 0 && width > 0 && size > 0, "center_crop", "bad size: got ", height, " x ", width,
        " to ", size, ", expected at least 1");
  CropPlan plan{{{height, width}}, {}};
  for (; std::min(height, width) >= 2 * size; plan.sizes.push_back({height, width})) {
    height /= 2;
    width /= 2;
  }
  const double scale = static_cast<double>(size) / static_cast<double>(std::min(height, width));
  const double tall = std::nearbyint(static_cast<double>(height) * scale),
               wide = std::nearbyint(static_cast<double>(width) * scale);
  check(tall * wide <= static_cast<double>(kMaxImagePixels), "center_crop",
        "image is too long and thin: got ", height, " x ", width, ", which at a shorter side of ",
        size, " has more than ", kMaxImagePixels, " pixels");
  plan.sizes.push_back({static_cast<int64_t>(tall), static_cast<int64_t>(wide)});
  plan.offset = {(plan.sizes.back()[0] - size) / 2, (plan.sizes.back()[1] - size) / 2};
  return plan;
}

at::Tensor resize_in_stages(const at::Tensor& image, const CropPlan& plan) {
  at::Tensor out = image;
  for (size_t i = 1; i < plan.sizes.size(); ++i) {
    const bool last = i + 1 == plan.sizes.size();
    out = resize_image(out, plan.sizes[i][0], plan.sizes[i][1],
                       last ? ResizeFilter::Bicubic : ResizeFilter::Box);
  }
  return out;
}

at::Tensor center_crop(const at::Tensor& image, int64_t size) {
  const CropPlan plan = plan_center_crop(image.size(0), image.size(1), size);
  return resize_in_stages(image, plan)
      .narrow(0, plan.offset[0], size)
      .narrow(1, plan.offset[1], size)
      .contiguous();
}

}  // namespace switchyard
