#pragma once
// Features of any network in a TorchScript file (torch.jit.save), such as the Inception ports with
// which published FIDs were computed.

#include <memory>

#include "core/base/params.h"
#include "core/train/feature_extractor.h"

namespace switchyard {

struct TorchScriptParams {
  std::string path;
  std::string input = "u8";        ///< "u8": [B, 3, H, W] as they are; "float": f32 of 0 .. 255
  int64_t resize = 0;              ///< bilinear to this side, half-pixel centres; 0: none
  std::vector<std::string> flags;  ///< keyword arguments of forward that are set to true
  static void declare(Fields<TorchScriptParams>& f);
};

/// forward(images, flags...) returns pooled features [B, D] or [B, D, 1, 1], a tuple (pooled,
/// spatial, logits) whose end may be missing and whose members may be None, or a dictionary with
/// some of these names. The file holds code: use files from authors that you trust.
class TorchScriptExtractor : public FeatureExtractor {
 public:
  /// Errors: missing or unreadable file, no TorchScript in it, a flag that forward does not have.
  explicit TorchScriptExtractor(const TorchScriptParams& params, at::Device device = at::kCPU);
  ~TorchScriptExtractor() override;

  /// Errors: see check_images; the program fails; outputs of other types, names or shapes.
  FeatureSet extract(const at::Tensor& images_BCHW) override;
  /// "<file name>-<first 12 hex digits of its sha256>", then "-r<side>" and "+<flag>" where set.
  std::string id() const override { return id_; }

 private:
  struct Program;
  at::Tensor prepared(const at::Tensor& images_BCHW) const;

  TorchScriptParams params_;
  at::Device device_;
  std::unique_ptr<Program> program_;
  std::string id_;
};

}  // namespace switchyard
