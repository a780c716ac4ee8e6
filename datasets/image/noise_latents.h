#pragma once

#include "core/base/params.h"
#include "datasets/dataset.h"

namespace switchyard {

struct NoiseLatentsParams {
  int64_t seed = 0, count = 256, channels = 4, size = 32, classes = 1000;
  static void declare(Fields<NoiseLatentsParams>& f);
};

/// Latents of noise, to measure speed: `latent` and `latent_flip` [2 C, S, S] f32 (means N(0, 1),
/// log variances -30), `label` [1]; sample i has class i mod classes, all are of domain "noise",
/// split "train".
class NoiseLatents : public Dataset {
 public:
  explicit NoiseLatents(const NoiseLatentsParams& params);
  int64_t size() const override { return params_.count; }
  SampleInfo sample_info(int64_t index) const override;
  Sample get(int64_t index, const Draw& draw) const override;
  const DatasetInfo& info() const override { return info_; }

 private:
  NoiseLatentsParams params_;
  DatasetInfo info_;
  at::Tensor latents_;  ///< [count, 2 C, S, S]
};

}  // namespace switchyard
