#pragma once
// sample -> dataset -> decorators (DESIGN 2). A dataset has two virtuals that matter: size and get.

#include <ATen/core/Tensor.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/base/random.h"

namespace switchyard {

/// All randomness of a sample comes from its draw, so prefetch, resume and rank count cannot change
/// the data. Readers ignore it.
struct Draw {
  uint64_t seed = 0;
  int64_t epoch = 0;
  int64_t item = 0;  ///< position in the epoch, not the sample index
  RandomStream stream(std::string_view purpose) const {
    return {seed, purpose, uint64_t(epoch), uint64_t(item)};
  }
};

/// Known without reading tensors.
struct SampleInfo {
  std::string uri;     ///< unique within the dataset
  std::string domain;  ///< name of the data domain: sensor, style, speaker
  std::string group;   ///< the exchangeable unit: room, drive, clip
  std::string split;   ///< "train", "test", ...
};

/// Keys are the field's terms. Point clouds: coord [N,3] f32 metres, color [N,3] u8, normal [N,3]
/// f32, intensity [N] f32, origin [N,3] f32 (sensor position per point), segment [N] i64 (-1 =
/// ignore), instance [N] i64 (-1 = none). Images: image [C,S,S] u8; latent and latent_flip [2Z,h,w]
/// f32 (moments of a VAE: means, then log variances); label [1] i64. All tensors are on the CPU,
/// contiguous and not to be written by others.
struct Sample {
  std::map<std::string, at::Tensor> tensors;
  SampleInfo info;
};

/// What made the latents of a dataset of latents.
struct LatentInfo {
  std::string vae;            ///< its public id: "stabilityai/sd-vae-ft-mse"
  double scaling_factor = 1;  ///< latents are stored before it: training sees z times it
  bool flip = false;          ///< latents of the mirrored images are there too
  bool operator==(const LatentInfo&) const = default;
};

struct DatasetInfo {
  std::vector<std::string> class_names;  ///< index = label
  std::string source;                    ///< public name of the data, quoted in results
  std::string hash;                      ///< changes when the data changes
  bool synthetic = false;                ///< tables then say so
  bool random = false;                   ///< get depends on the draw: not to be packed or cached
  std::optional<LatentInfo> latent = std::nullopt;  ///< of datasets of latents
};

class Dataset {
 public:
  virtual ~Dataset() = default;
  virtual int64_t size() const = 0;
  virtual SampleInfo sample_info(int64_t index) const = 0;
  /// Thread-safe. Errors name the file.
  virtual Sample get(int64_t index, const Draw& draw) const = 0;
  virtual const DatasetInfo& info() const = 0;
};

}  // namespace switchyard
