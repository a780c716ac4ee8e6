#include "datasets/image/image_shape.h"

namespace switchyard {

ImageShape checked_shape(const ImageShape& shape) {
  check(shape.size > 0, "size", "is not given: expected the height and width of the samples");
  check(shape.channels == 1 || shape.channels == 3, "channels", "got ", shape.channels,
        "; valid: 1, 3");
  return shape;
}

std::string to_text(const ImageShape& shape) {
  return cat(shape.size, "x", shape.size, "x", shape.channels);
}

}  // namespace switchyard
