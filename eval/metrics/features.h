#pragma once
// Checks that all metrics of generated samples share. Features come from a FeatureExtractor
// (core/train/feature_extractor.h) and may be on any device; statistics are in double there.

#include <ATen/core/Tensor.h>

#include <string>

namespace switchyard {

/// Channels of the spatial map that sFID reads (Nash et al. 2021, arXiv 2103.03841).
constexpr int64_t kSpatialChannels = 7;

/// Features [N, D] as f64. Errors at `where`: another shape, no column, fewer than `least` rows,
/// NaN or infinity.
at::Tensor feature_rows(const at::Tensor& features_ND, const std::string& where, int64_t least = 1);
/// Error at `where` where the widths of two sets [N, D] and [M, D] differ.
void check_same_width(const at::Tensor& a_ND, const at::Tensor& b_MD, const std::string& where);

/// Maps [N, C, h, w] -> [N, h w channels]: the first channels, in the order (h, w, channel) of the
/// published statistics. Errors: another shape, fewer channels.
at::Tensor spatial_rows(const at::Tensor& maps_NChw, int64_t channels = kSpatialChannels);

}  // namespace switchyard
