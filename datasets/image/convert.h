#pragma once
// Colour modes, as Pillow's Image.convert does it (Convert.c).

#include <ATen/core/Tensor.h>

#include <string>

namespace switchyard {

/// u8 [H,W] or [H,W,C] -> [H,W,3]: 1 channel is grey and repeated, 2 grey and alpha, 3 RGB, 4 RGB
/// and alpha. Alpha is dropped, not composited. Errors at `where`: another shape or type.
at::Tensor to_rgb(const at::Tensor& image, const std::string& where);

/// u8 [H,W,4], 255 = full ink -> [H,W,3]: with n = 255 - K, R = clamp(n - C n / 255).
at::Tensor cmyk_to_rgb(const at::Tensor& image_HW4);

/// u8 [H,W,3] -> [H,W] luma (ITU-R 601): (19595 R + 38470 G + 7471 B + 32768) >> 16.
at::Tensor rgb_to_gray(const at::Tensor& image_HW3);

}  // namespace switchyard
