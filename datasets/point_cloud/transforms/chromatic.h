#pragma once
// auto_contrast, chromatic_translation, chromatic_jitter, normalize_color: colors from 0 to 255.

#include "datasets/point_cloud/transforms/rows.h"
#include "datasets/point_cloud/transforms/transform.h"

namespace switchyard {

/// (1 - blend) * color + blend * contrast, where contrast stretches every channel to 0 .. 255; a
/// channel without range keeps its values minus the least one. In place.
void auto_contrast(const at::Tensor& color_N3, double blend);
/// Adds (2 * draw - 1) * 255 * ratio and clips to 0 .. 255; `draw`: uniform in [0, 1). In place.
void chromatic_translation(const at::Tensor& color_N3, const Row3& draw, double ratio);
/// Adds noise * std * 255 and clips to 0 .. 255; `noise_N3`: f64 standard normal draws. In place.
void chromatic_jitter(const at::Tensor& color_N3, const at::Tensor& noise_N3, double std);
/// color / 127.5 - 1. In place.
void normalize_color(const at::Tensor& color_N3);

void register_chromatic();

}  // namespace switchyard
