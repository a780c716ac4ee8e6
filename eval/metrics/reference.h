#pragma once
// Features of real images, reduced to what metrics of generated samples compare with.

#include <map>
#include <optional>

#include "core/train/feature_extractor.h"
#include "eval/metrics/moments.h"

namespace switchyard {

struct ReferenceFeatures {
  FeatureGaussian pooled;
  std::optional<FeatureGaussian> spatial;  ///< of spatial_rows
  at::Tensor features_ND;                  ///< f32, for precision, recall and KID; may be undefined
};

/// Collects the features of a set batch by batch.
class ReferenceBuilder {
 public:
  /// Keeps the first `kept` feature rows (ADM compares with 10 000).
  explicit ReferenceBuilder(int64_t kept = 10000) : kept_(kept) {}

  /// Errors: no pooled features; see FeatureMoments; batches with and without spatial features.
  void update(const FeatureSet& batch);
  /// Adds a part of the set with all its rows. Errors: as above; a part without its count.
  void update(const ReferenceFeatures& part);
  /// Errors: fewer than two images.
  ReferenceFeatures compute() const;
  void reset() { *this = ReferenceBuilder(kept_); }
  int64_t count() const { return pooled_.count(); }

 private:
  int64_t kept_, rows_ = 0;
  FeatureMoments pooled_, spatial_;
  std::vector<at::Tensor> features_;
};

/// What a file of reference features is about. An empty class stands for all classes.
struct ReferenceKey {
  std::string extractor, data_hash, domain, class_name, split;
};

/// safetensors: mu, sigma, mu_s, sigma_s (f64), features (f32); key and count as metadata.
void write_reference(const std::filesystem::path& path, const ReferenceKey& key,
                     const ReferenceFeatures& reference);
/// Errors: unreadable, shapes; a key that differs, with every entry that does.
ReferenceFeatures read_reference(const std::filesystem::path& path, const ReferenceKey& key);

/// Statistics as published evaluators store them: an .npz with mu and sigma, perhaps also mu_s and
/// sigma_s. They do not tell their count (0 here). Errors: a missing array, shapes.
ReferenceFeatures read_published_reference(const std::filesystem::path& path);

}  // namespace switchyard
