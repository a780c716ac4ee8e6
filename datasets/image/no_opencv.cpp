#include "core/base/error.h"
#include "datasets/image/opencv_decode.h"

namespace switchyard {

bool has_image_decoder() { return false; }

at::Tensor opencv_decode(std::span<const std::byte>, const std::string& where) {
  fail(where,
       "image files need OpenCV, which this build does not hold; valid: libopencv-imgcodecs-dev "
       "installed and cmake run anew, or shards from switchyard pack");
}

}  // namespace switchyard
