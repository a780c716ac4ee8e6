#pragma once
// What metrics of generated samples see of a network that judges them: `eval` gets features, a
// modality or `apps` has the network.

#include <ATen/core/Tensor.h>

#include <string>

namespace switchyard {

/// Features of B images, one row each, f32 on the extractor's device. What the network does not
/// give is undefined.
struct FeatureSet {
  at::Tensor pooled;   ///< [B, D]: Frechet distance, precision and recall, KID
  at::Tensor spatial;  ///< [B, C, h, w]: sFID
  at::Tensor logits;   ///< [B, K]: inception score
};

class FeatureExtractor {
 public:
  virtual ~FeatureExtractor() = default;
  /// images [B, 3, H, W] u8 on any device; without gradients. Errors: another shape or type.
  virtual FeatureSet extract(const at::Tensor& images_BCHW) = 0;
  /// Names the network and its weights in tables: "fid@features=<id>". Two extractors of one id
  /// give the same features.
  virtual std::string id() const = 0;
};

/// Error at `where` unless [B, 3, H, W] u8 with B >= 1.
void check_images(const at::Tensor& images_BCHW, const std::string& where);

}  // namespace switchyard
