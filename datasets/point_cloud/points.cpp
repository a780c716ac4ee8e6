#include "datasets/point_cloud/points.h"

#include <ATen/TensorOperators.h>

#include "core/base/log.h"

namespace switchyard {

void take_points(Sample& sample, const at::Tensor& rows) {
  for (auto& [key, tensor] : sample.tensors) tensor = tensor.index_select(0, rows);
}

void keep_points(Sample& sample, const at::Tensor& keep) {
  const at::Tensor rows = keep.nonzero().squeeze(1);
  if (rows.size(0) < keep.size(0)) take_points(sample, rows);
}

int64_t drop_non_finite(Sample& sample, const std::string& where, bool warn) {
  at::Tensor finite = sample.tensors.at("coord").isfinite().all(1);
  const auto intensity = sample.tensors.find("intensity");
  if (intensity != sample.tensors.end()) finite = finite & intensity->second.isfinite();
  const int64_t dropped = finite.numel() - finite.sum().item<int64_t>();
  if (dropped == 0) return 0;
  if (warn)
    log::warn("[", where, "] dropped ", dropped, " of ", finite.numel(),
              " points that are NaN or infinite");
  keep_points(sample, finite);
  return dropped;
}

}  // namespace switchyard
