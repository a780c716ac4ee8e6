#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <span>
#include <string>

namespace switchyard {

/// Whether this build decodes images (CMake part image-files).
bool has_image_decoder();

/// decode_image without its checks of the header.
at::Tensor opencv_decode(std::span<const std::byte> bytes, const std::string& where);

}  // namespace switchyard
