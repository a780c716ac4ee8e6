#include "datasets/image/convert.h"

#include <ATen/TensorOperators.h>

#include "core/base/error.h"

namespace switchyard {

at::Tensor to_rgb(const at::Tensor& image, const std::string& where) {
  const at::Tensor image_HWC = image.dim() == 2 ? image.unsqueeze(2) : image;
  const bool shaped = image_HWC.dim() == 3 && image_HWC.size(2) >= 1 && image_HWC.size(2) <= 4;
  check(shaped && image.scalar_type() == at::kByte, where, "wrong image: got ",
        c10::toString(image.scalar_type()), " ", to_text(image.sizes().vec()),
        ", expected uint8 [H,W] or [H,W,C] of 1 to 4 channels");
  if (image_HWC.size(2) >= 3) return image_HWC.narrow(2, 0, 3).contiguous();
  return image_HWC.narrow(2, 0, 1).expand({-1, -1, 3}).contiguous();
}

at::Tensor cmyk_to_rgb(const at::Tensor& image_HW4) {
  const at::Tensor wide = image_HW4.to(at::kInt);
  const at::Tensor n_HW1 = 255 - wide.narrow(2, 3, 1);
  const at::Tensor t = wide.narrow(2, 0, 3) * n_HW1 + 128;
  const at::Tensor ink_HW3 = (t + t.bitwise_right_shift(8)).bitwise_right_shift(8);
  return (n_HW1 - ink_HW3).clamp(0, 255).to(at::kByte);
}

at::Tensor rgb_to_gray(const at::Tensor& image_HW3) {
  const at::Tensor wide = image_HW3.to(at::kInt);
  const at::Tensor luma_HW =
      wide.select(2, 0) * 19595 + wide.select(2, 1) * 38470 + wide.select(2, 2) * 7471 + 32768;
  return luma_HW.bitwise_right_shift(16).to(at::kByte);
}

}  // namespace switchyard
