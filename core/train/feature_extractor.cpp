#include "core/train/feature_extractor.h"

#include "core/base/error.h"

namespace switchyard {

void check_images(const at::Tensor& images_BCHW, const std::string& where) {
  check(images_BCHW.dim() == 4 && images_BCHW.size(1) == 3 && images_BCHW.numel() > 0 &&
            images_BCHW.scalar_type() == at::kByte,
        where, "images: got ", c10::toString(images_BCHW.scalar_type()), " ",
        to_text(images_BCHW.sizes().vec()), ", expected Byte [B, 3, H, W]");
}

}  // namespace switchyard
