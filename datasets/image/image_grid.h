#pragma once

#include <ATen/core/Tensor.h>

namespace switchyard {

/// u8 [N,C,S,S] -> one picture u8 [H,W,C]: row by row in `columns` columns, white between images
/// (`gap` pixels) and in empty places. For write_png (core/io/png.h). Errors: another shape or
/// type, no image, no column, a negative gap.
at::Tensor image_grid(const at::Tensor& images_NCSS, int64_t columns, int64_t gap = 2);

}  // namespace switchyard
