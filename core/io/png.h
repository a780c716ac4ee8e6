#pragma once
// Writing PNG (ISO/IEC 15948): 8 bits, not interlaced.

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <string>

namespace switchyard {

/// The bytes of a PNG of u8 [H,W,C]: C = 1 grey, 3 RGB, 4 RGB and alpha. Errors: another shape or
/// type, no pixel, 1 GiB or more.
std::string encode_png(const at::Tensor& image_HWC);

/// Atomic.
void write_png(const std::filesystem::path& path, const at::Tensor& image_HWC);

}  // namespace switchyard
