#pragma once
// Inner loops of resize_image over contiguous memory.

#include "datasets/image/resize.h"

namespace switchyard {

/// [outer, in, inner] -> [outer, out, inner].
void resample_u8(const ResampleWeights& weights, const uint8_t* from, uint8_t* to, int64_t outer,
                 int64_t inner);
void resample_f32(const ResampleWeights& weights, const float* from, float* to, int64_t outer,
                  int64_t inner);

}  // namespace switchyard
