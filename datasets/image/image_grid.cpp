#include "datasets/image/image_grid.h"

#include <ATen/ops/full.h>

#include "core/base/error.h"

namespace switchyard {

at::Tensor image_grid(const at::Tensor& images_NCSS, int64_t columns, int64_t gap) {
  const bool shaped = images_NCSS.dim() == 4 && images_NCSS.numel() > 0;
  check(shaped && images_NCSS.scalar_type() == at::kByte, "image_grid", "wrong images: got ",
        c10::toString(images_NCSS.scalar_type()), " ", to_text(images_NCSS.sizes().vec()),
        ", expected uint8 [N,C,S,S]");
  check(columns > 0 && gap >= 0, "image_grid", "bad layout: got ", columns, " columns, gap ", gap);
  const int64_t images = images_NCSS.size(0), rows = (images + columns - 1) / columns;
  const int64_t tall = images_NCSS.size(2) + gap, wide = images_NCSS.size(3) + gap;
  at::Tensor out = at::full({rows * tall - gap, columns * wide - gap, images_NCSS.size(1)}, 255,
                            images_NCSS.options());
  for (int64_t i = 0; i < images; ++i) {
    out.narrow(0, i / columns * tall, tall - gap)
        .narrow(1, i % columns * wide, wide - gap)
        .copy_(images_NCSS[i].permute({1, 2, 0}));
  }
  return out;
}

}  // namespace switchyard
