#pragma once
// The parameters `size` and `channels` of image readers.

#include "core/base/params.h"

namespace switchyard {

struct ImageShape {
  int64_t size = 0;      ///< height and width
  int64_t channels = 3;  ///< 3: RGB, 1: luma
};

/// At which `datasets check` reads image files.
inline constexpr int64_t kCheckedImageSize = 64;

/// Declares both for a parameter struct that derives from ImageShape.
template <class Params>
void declare_image_shape(Fields<Params>& f) {
  f.add("size", static_cast<int64_t Params::*>(&Params::size),
        "height and width of the samples; others are centre-cropped (ADM)", between(1, 8192));
  f.add("channels", static_cast<int64_t Params::*>(&Params::channels), "3: RGB, 1: grey",
        between(1, 3));
}

/// Errors: no size, channels that are neither 1 nor 3.
ImageShape checked_shape(const ImageShape& shape);

/// "64x64x3", for hashes.
std::string to_text(const ImageShape& shape);

}  // namespace switchyard
