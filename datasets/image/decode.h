#pragma once
// Encoded images to pixels.

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>

#include "datasets/image/image_shape.h"

namespace switchyard {

/// u8 [H,W,3] RGB of a JPEG, PNG, WebP or BMP (OpenCV, on libjpeg-turbo, libpng and libwebp). Grey
/// is repeated, a palette looked up, alpha dropped; of 16 bits the high eight count; CMYK JPEG is
/// converted by OpenCV, within 2 levels of cmyk_to_rgb (convert.h). An EXIF orientation is not
/// applied. Errors of a JPEG's coding are passed over, as libjpeg and Pillow do. Errors: see
/// image_header.h; damaged data; a build without OpenCV.
at::Tensor decode_image(std::span<const std::byte> bytes, const std::string& where);

/// u8 [H,W,3] or, grey, [H,W] -> u8 [C,S,S], contiguous: converted, then centre-cropped
/// (center_crop.h) unless it has that size.
at::Tensor fit_image(const at::Tensor& image, const ImageShape& shape);

/// fit_image of a file.
at::Tensor read_image(const std::filesystem::path& path, const ImageShape& shape);

}  // namespace switchyard
