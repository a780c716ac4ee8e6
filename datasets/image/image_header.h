#pragma once
// What an encoded image says of itself, read without decoding it, so that a bomb is refused before
// anything is allocated. Any file may be hostile.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace switchyard {

/// Pillow's limit against decompression bombs.
inline constexpr int64_t kMaxImagePixels = 89'478'485;
inline constexpr int64_t kMaxImageSide = 16'384;

struct ImageHeader {
  std::string format;  ///< "jpeg", "png", "webp" or "bmp"
  int64_t height = 0, width = 0;
};

/// By the first bytes, whatever the file's name. Errors: none of the four formats, cut off, no
/// size, more than kMaxImagePixels pixels or kMaxImageSide on a side; a JPEG that ends before its
/// end-of-image marker (decoders fill up what is missing) or one of CMYK without Adobe's marker,
/// whose polarity nobody knows.
ImageHeader read_image_header(std::span<const std::byte> bytes, const std::string& where);

}  // namespace switchyard
